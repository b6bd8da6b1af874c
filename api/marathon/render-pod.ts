import type { PodApp } from '../../core/model/app.ts';
import type { PodContainer, PodEndpoint, PodImage } from '../../core/model/pod.ts';
import type { PodDraft } from './normalise-pod.ts';
import { pick } from './pick.ts';
import { filled, type Json } from './render-app.ts';

/** The definition of a pod in Marathon's JSON (§19.1): most lists and maps are left out when they are empty. */
export function renderPodDefinition(app: PodDraft): Json {
  const { pod } = app;
  const { gpus: _, ...executorResources } = pod.executorResources;
  return {
    id: app.id,
    ...filled('labels', app.labels),
    ...pick(app, 'user', 'role'),
    ...filled('environment', app.env),
    ...filled('secrets', app.secrets),
    containers: pod.containers.map(renderContainer),
    ...filled(
      'volumes',
      pod.volumes.map(({ kept, ...volume }) => ({ ...volume, ...kept })),
    ),
    networks: app.networks,
    scaling: { kind: 'fixed', instances: app.instances },
    scheduling: renderScheduling(app),
    executorResources,
    ...pod.kept,
  };
}

/** A stored pod. */
export function renderPod(app: PodApp): Json {
  return { ...renderPodDefinition(app), version: app.version };
}

function renderScheduling(app: PodDraft): Json {
  return {
    backoff: {
      backoff: app.backoffSeconds,
      backoffFactor: app.backoffFactor,
      maxLaunchDelay: app.maxLaunchDelaySeconds,
    },
    upgrade: app.upgradeStrategy,
    placement: {
      constraints: app.constraints.map(({ field, ...rest }) => ({ fieldName: field, ...rest })),
      acceptedResourceRoles: app.acceptedResourceRoles ?? [],
    },
    killSelection: app.killSelection,
    unreachableStrategy: app.unreachableStrategy,
  };
}

function renderContainer(container: PodContainer): Json {
  const { image, killGracePeriodSeconds } = container;
  return {
    ...pick(container, 'name', 'exec', 'resources'),
    ...filled('endpoints', container.endpoints.map(renderEndpoint)),
    ...(image === undefined ? {} : { image: renderImage(image) }),
    ...filled('environment', container.environment),
    ...pick(container, 'user', 'healthCheck'),
    ...filled('volumeMounts', container.volumeMounts),
    ...filled('artifacts', container.artifacts ?? []),
    ...filled('labels', container.labels),
    ...(killGracePeriodSeconds === undefined ? {} : { lifecycle: { killGracePeriodSeconds } }),
    ...container.kept,
  };
}

function renderImage({ id, forcePull, labels, kept }: PodImage): Json {
  return { kind: 'DOCKER', id, forcePull, ...filled('labels', labels), ...kept };
}

function renderEndpoint({ labels, networkNames, ...endpoint }: PodEndpoint): Json {
  return { ...endpoint, ...filled('networkNames', networkNames), ...filled('labels', labels) };
}
