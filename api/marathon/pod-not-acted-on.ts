import type { PodApp } from '../../core/model/app.ts';

/** What of a pod is stored and shown but changes nothing yet, with what is missing. */
const missing: Readonly<Record<string, string>> = {
  check: 'containers.check: general checks are made for apps only',
  linuxInfo: 'linuxInfo: containers have the usual settings',
  legacySharedCgroups: 'legacySharedCgroups: every container has a control group of its own',
  persistent: 'volumes.persistent: no volume is made or mounted',
  pullConfig: 'containers.image.pullConfig: images are pulled without it',
  resourceLimits: 'containers.resourceLimits: what is requested is the limit',
  secret: 'volumes.secret: no value is known, the file is not there',
  tty: 'containers.tty: programs have no terminal',
};

export function podNotActedOn({ pod, secrets }: Pick<PodApp, 'pod' | 'secrets'>): readonly string[] {
  const parts = [
    pod,
    ...pod.volumes,
    ...pod.containers,
    ...pod.containers.flatMap(({ image }) => image ?? []),
  ];
  const kept = parts.flatMap((part) => Object.keys(part.kept ?? {}));
  const texts = kept.flatMap((name) => missing[name] ?? []);
  const withSecrets = Object.keys(secrets).length > 0 ? [...texts, secretsText] : texts;
  return [...new Set(withSecrets)];
}

const secretsText = 'secrets: no value is known, and instances that need one do not start';
