import type { HttpListenConfig } from './config.ts';

/** Whether only this host can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Whether others can reach the server and nothing says who they are. */
export function isExposed({ host, token, tls }: Pick<HttpListenConfig, 'host' | 'token' | 'tls'>): boolean {
  return !isLoopback(host) && token === undefined && tls?.clientCa === undefined;
}
