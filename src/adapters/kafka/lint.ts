import { compileTemplate } from '../../core/template.ts';
import type { LintEntry, LintFinding } from '../spec.ts';
import { isTopicName } from './config.ts';

/** Mistakes between fields, and what is legal but rarely meant. */
export function lintKafka({ kind, config }: LintEntry): readonly LintFinding[] {
  if (kind === 'broker') return lintBroker(config);
  return kind === 'source' ? lintSource(config) : lintTarget(config);
}

function lintBroker(config: LintEntry['config']): LintFinding[] {
  const sasl = config['sasl'] as { mechanism?: string } | undefined;
  if (sasl === undefined || (config['tls'] ?? false) !== false) return [];
  if (sasl.mechanism !== 'plain' && sasl.mechanism !== 'oauthbearer') return [];
  const message = `sasl "${sasl.mechanism}" without tls sends the secret in clear text`;
  return [{ severity: 'warning', code: 'W_KAFKA_CLEAR_TEXT', path: ['sasl'], message }];
}

function lintSource(config: LintEntry['config']): LintFinding[] {
  const heartbeat = config['heartbeatInterval'] as number;
  const session = config['sessionTimeout'] as number;
  if (heartbeat * 2 <= session) return [];
  const message = 'heartbeatInterval must be at most half of sessionTimeout, or one late heartbeat ends the membership';
  return [{ severity: 'error', code: 'E_KAFKA_HEARTBEAT', path: ['heartbeatInterval'], message }];
}

function lintTarget(config: LintEntry['config']): LintFinding[] {
  const found: LintFinding[] = [];
  const topic = compileTemplate(config['topic'] as string);
  const isFixed = topic.names.length === 0;
  if (isFixed && !isTopicName(topic.render(() => undefined) ?? '')) {
    const message = 'not a topic name: 1 to 249 letters, digits, ".", "_", "-"';
    found.push({ severity: 'error', code: 'E_KAFKA_TOPIC', path: ['topic'], message });
  }
  if (config['watchGroup'] !== undefined && !isFixed) {
    const message = 'watchGroup needs a fixed topic: the backlog of a templated one is not known';
    found.push({ severity: 'warning', code: 'W_KAFKA_WATCH_GROUP', path: ['watchGroup'], message });
  }
  return found;
}
