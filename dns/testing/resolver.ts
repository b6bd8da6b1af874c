import type { Test } from 'tap';
import type { ListenAddress } from '../../core/kit/listen.ts';
import type { DirectoryDelta } from '../../core/model/directory.ts';
import {
  defaultServerOptions,
  defaultZoneOptions,
  type ServerOptions,
  type ZoneOptions,
} from '../options.ts';
import { plainSockets } from '../plain-sockets.ts';
import { Resolver, type ResolverParts } from '../resolver.ts';

export type RunningResolver = { readonly resolver: Resolver; readonly at: ListenAddress };

/** A resolver in this process on a free port of 127.0.0.1, ended with the test. */
export async function runResolver(
  t: Test,
  options: {
    readonly directory?: DirectoryDelta;
    readonly zone?: Partial<ZoneOptions>;
    readonly server?: Partial<ServerOptions>;
    readonly parts?: Partial<ResolverParts>;
  } = {},
): Promise<RunningResolver> {
  const resolver = new Resolver({
    zone: { ...defaultZoneOptions, ...options.zone },
    server: { ...defaultServerOptions, ...options.server },
    sockets: plainSockets,
    chance: Math.random,
    ...options.parts,
  });
  t.teardown(() => resolver.stop());
  if (options.directory !== undefined) resolver.apply(options.directory);
  const [at] = await resolver.listen([{ address: '127.0.0.1', port: 0 }]);
  return { resolver, at: at! };
}
