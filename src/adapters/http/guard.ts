import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import { FairleadError } from '../../core/errors.ts';

/**
 * Addresses at which clouds give out credentials, blocked whatever the configuration says: IPv4 and IPv6 link-local (AWS, GCP,
 * Azure, OpenStack and ECS task credentials), AWS over IPv6, Alibaba, Oracle, Azure's wire server.
 */
const METADATA = new BlockList();
METADATA.addSubnet('169.254.0.0', 16, 'ipv4');
METADATA.addAddress('100.100.100.200', 'ipv4');
METADATA.addAddress('192.0.0.192', 'ipv4');
METADATA.addAddress('168.63.129.16', 'ipv4');
METADATA.addSubnet('fe80::', 10, 'ipv6');
METADATA.addSubnet('fd00:ec2::', 32, 'ipv6');
METADATA.addAddress('fd20:ce::254', 'ipv6');

/** IPv6 prefixes that carry an IPv4 address in their last 32 bits: NAT64 and IPv4-compatible. */
const EMBEDDING = new BlockList();
EMBEDDING.addSubnet('64:ff9b::', 96, 'ipv6');
EMBEDDING.addSubnet('::', 96, 'ipv6');

/** Whether an address, in any spelling, is one of a metadata service. */
export function isBlocked(address: string): boolean {
  const plain = address.split('%', 1)[0] as string;
  const family = isIP(plain);
  if (family === 0) return false;
  if (family === 4) return METADATA.check(plain, 'ipv4');
  if (METADATA.check(plain, 'ipv6')) return true; // IPv4-mapped ones included
  return EMBEDDING.check(plain, 'ipv6') && METADATA.check(lastFour(plain), 'ipv4');
}

/** The last 32 bits of an IPv6 address, as IPv4. */
function lastFour(address: string): string {
  // URL writes every IPv6 address in one way: hexadecimal groups, compressed
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(':');
  const [high = 0, low = 0] = groups.slice(-2).map((group) => Number.parseInt(group === '' ? '0' : group, 16));
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

export function blocked(host: string): FairleadError {
  return new FairleadError({
    code: 'E_HTTP_ADDRESS_BLOCKED',
    message: `"${host}" leads to the address of a metadata service, to which nothing is ever sent`,
  });
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** `dns.lookup` for `net.connect`: fails where any address of the name is blocked, so that no order of answers gets by. */
export function guardedLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) callback(error, []);
    else if (addresses.some(({ address }) => isBlocked(address))) callback(blocked(hostname), []);
    else if (options.all === true) callback(null, addresses);
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 0);
  });
}
