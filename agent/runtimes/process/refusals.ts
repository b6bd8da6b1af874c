import { userInfo } from 'node:os';
import { ContainerRefused, type ContainerSpec } from '../../runtime.ts';
import { isLinkable } from './links.ts';

const next = 'Run the agent as root with runc and conmon installed (see "weir doctor"), or leave it out.';

/** Throws ContainerRefused for what plain processes cannot give; silently doing without would surprise the app. */
export function refuseWhatNeedsRoot(spec: ContainerSpec): void {
  const refuse = (need: string): never => {
    throw new ContainerRefused(spec.id, need, next);
  };
  if (spec.rootfs.kind === 'image')
    refuse(`image ${spec.rootfs.reference} needs the runc runtime; this agent runs plain processes`);
  if (spec.netns.kind === 'path') refuse('a network of its own needs the runc runtime');
  if (spec.user !== undefined && spec.user !== userInfo().username)
    refuse(`user ${spec.user} needs the runc runtime; this agent runs everything as ${userInfo().username}`);
  const moved = spec.mounts.find((mount) => !isLinkable(mount));
  if (moved !== undefined)
    refuse(`volume ${moved.hostPath} at ${moved.containerPath} needs the runc runtime`);
}
