import { legacyVipLabels, vipLabels } from '../../core/model/vip-label.ts';
import { vipPolicy } from '../../core/model/vip-policy.ts';
import type { AppInfo } from '../master/answers.ts';

/** Labels of an app that look like they declare or tune a VIP and do not, as a person would say it. */
export function vipFaultLines({ labels, container, portDefinitions }: AppInfo): readonly string[] {
  const ports = container?.portMappings ?? portDefinitions ?? [];
  const own = Object.fromEntries(Object.entries(labels ?? {}).map(([key, value]) => [key, String(value)]));
  const faults = [
    ...ports.flatMap(({ labels = {} }) => [...vipLabels(labels).faults, ...vipPolicy(labels).faults]),
    ...legacyVipLabels(own).faults,
    ...vipPolicy(own).faults,
  ];
  return faults.map(({ key, value, reason }) => `${key}=${value} declares nothing: ${reason}`);
}
