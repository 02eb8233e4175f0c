import { hostname } from 'node:os';
import { compileTemplate } from '../../core/template.ts';
import type { LintEntry, LintFinding } from '../spec.ts';
import type { MqttBrokerConfig, MqttSourceConfig, MqttTargetConfig } from './config.ts';
import { filtersOf } from './subscribe.ts';
import { filterMistake, topicMistake } from './topics.ts';

/** What the schemas cannot say about an MQTT entry. */
export function lintMqtt(entry: LintEntry): LintFinding[] {
  switch (entry.kind) {
    case 'broker':
      return lintBroker(entry.config as unknown as MqttBrokerConfig);
    case 'source':
      return lintSource(entry.config as unknown as MqttSourceConfig);
    default:
      return lintTarget(
        entry.config as unknown as MqttTargetConfig & { encoding?: string },
        entry.broker as unknown as MqttBrokerConfig,
      );
  }
}

function lintBroker({ url, tls, password, username }: MqttBrokerConfig): LintFinding[] {
  const findings: LintFinding[] = [];
  const isPlain = /^(?:mqtt|ws):/.test(url);
  if (tls !== undefined && isPlain) {
    findings.push(error('E_MQTT_CONFIG', ['tls'], 'TLS needs an mqtts:// or wss:// address'));
  }
  if (tls?.rejectUnauthorized === false) {
    findings.push(warning('W_MQTT_TLS', ['tls', 'rejectUnauthorized'], 'any certificate is accepted'));
  }
  if (password !== undefined && username === undefined) {
    findings.push(error('E_MQTT_CONFIG', ['password'], 'a password needs a "username" (MQTT 3.1.1 §3.1.2.9)'));
  }
  return findings;
}

function lintSource(config: MqttSourceConfig): LintFinding[] {
  const findings: LintFinding[] = [];
  if ((config.topic === undefined) === (config.topics === undefined)) {
    const message = 'give either "topic" or "topics"';
    findings.push(error('E_MQTT_CONFIG', config.topic === undefined ? [] : ['topics'], message));
  }
  for (const [index, filter] of filtersOf(config).entries()) {
    const path = config.topics === undefined ? ['topic'] : ['topics', index];
    if (filter.startsWith('$share/')) findings.push(error('E_MQTT_CONFIG', path, 'name the group in "share" instead'));
    const mistake = filterMistake(filter);
    if (mistake !== undefined)
      findings.push(error('E_MQTT_TOPIC', path, `"${filter}" is not a topic filter: ${mistake}`));
  }
  if (config.qos === 0) {
    findings.push(
      warning('W_MQTT_QOS0', ['qos'], 'QoS 0 is at most once: events are lost when a process or connection dies'),
    );
  }
  const twin = lintClientId(config.clientId);
  return twin === undefined ? findings : [...findings, twin];
}

function lintTarget(config: MqttTargetConfig & { encoding?: string }, broker: MqttBrokerConfig): LintFinding[] {
  const findings: LintFinding[] = [];
  if (config.encoding === 'binary' && broker.protocolVersion === 4) {
    const message =
      'MQTT 3.1.1 has no properties: use "encoding: structured" or "raw", or "protocolVersion: 5" on the broker';
    findings.push(error('E_MQTT_CONFIG', ['encoding'], message));
  }
  const template = compileTemplate(config.topic);
  const mistake = topicMistake(template.render(() => 'x') ?? '');
  if (mistake !== undefined) findings.push(error('E_MQTT_TOPIC', ['topic'], `a topic to publish to ${mistake}`));
  if (config.qos === 0) {
    findings.push(
      warning('W_MQTT_QOS0', ['qos'], 'QoS 0 is not confirmed: events are lost when the connection breaks'),
    );
  }
  const twin = lintClientId(config.clientId);
  return twin === undefined ? findings : [...findings, twin];
}

/** Two processes with one client id evict each other, over and over. */
function lintClientId(clientId: string | undefined): LintFinding | undefined {
  if (clientId === undefined || clientId.includes(process.env['HOSTNAME'] || hostname())) return undefined;
  const message = 'a second replica with the same client id evicts this one: leave it out, or make it of the host name';
  return warning('W_MQTT_CLIENT_ID', ['clientId'], message);
}

function error(code: string, path: readonly (string | number)[], message: string): LintFinding {
  return { severity: 'error', code, path, message };
}

function warning(code: string, path: readonly (string | number)[], message: string): LintFinding {
  return { severity: 'warning', code, path, message };
}
