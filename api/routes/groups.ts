import type { FastifyInstance, FastifyReply } from 'fastify';
import type { PodApp } from '../../core/model/app.ts';
import type { AppTexts } from '../app-texts.ts';
import { type Accepted, type AppChanges, acceptedHeaders, type Change, required } from '../change-apps.ts';
import { type GroupChange, removeGroup, setGroup, updateGroup } from '../change-groups.ts';
import type { ApiDependencies, ApiOptions, Posted, WantedRoot } from '../dependencies.ts';
import {
  appsBelow,
  groupExists,
  groupInfo,
  groupText,
  rootVersions,
  type Sections,
  treeAt,
  treeOf,
} from '../groups.ts';
import { sendPieces } from '../long-answer.ts';
import { type GroupUpdate, parseGroup, parseGroupPatch } from '../marathon/parse-group.ts';
import { type Json, renderApp } from '../marathon/render-app.ts';
import { renderStep } from '../marathon/render-deployment.ts';
import { podStatus } from '../pod-status.ts';
import { NotFound, Problem } from '../problem.ts';
import { embedsFrom } from '../views.ts';
import { groupPath } from './group-path.ts';
import { isTrue } from './query.ts';

type Query = Readonly<Record<string, string | string[] | undefined>>;
type AtGroup = { Params: { '*'?: string }; Querystring: Query; Body: unknown };

/** Marathon §5. The root is the group `/`; what holds for `/v2/groups/x` holds for `/v2/groups`. */
export function groupRoutes(
  server: FastifyInstance,
  { database, clock }: ApiDependencies,
  { changes, texts, options }: { changes: AppChanges; texts: AppTexts; options: ApiOptions },
): void {
  const base = `http://${options.host}:${options.port}/v2/groups`;

  for (const url of ['/v2/groups', '/v2/groups/*']) {
    server.get<AtGroup>(url, async (request, reply) => {
      const path = groupPath(request.params['*']);
      const { embed } = request.query;
      if (path.kind === 'versions') return existing(path.id) && rootVersions(database.snapshot);
      if (path.kind === 'version') return infoAt(path.id, path.version, embed);
      if (path.kind === 'apps') {
        existing(path.id);
        const embeds = embedsFrom(embed, []);
        const apps = appsBelow(treeOf(database.snapshot), path.id);
        return sendPieces(reply, texts.list(database.snapshot, apps, { embeds, now: clock.now() }));
      }
      existing(path.id);
      const embeds = embedsFrom(embed, []);
      const view = {
        sections: sectionsFrom(embed),
        appText: texts.view(database.snapshot, { embeds, now: clock.now() }),
        renderPod: statusOf,
      };
      return sendPieces(reply, groupText(treeOf(database.snapshot), path.id, view));
    });

    server.post<AtGroup>(url, async (request, reply) => {
      const update = required(parseGroup(request.body, at(request.params)));
      const id = update.kind === 'put' ? update.wish.id : update.id;
      const change: Change = (root, version) => {
        const tree = { ...treeOf(database.snapshot), apps: root };
        if (root.has(id)) throw new Problem(409, { message: `An app with the path ${id} already exists.` });
        if (groupExists(tree, id))
          throw new Problem(409, {
            message: `Group ${id} is already created. Use PUT to change this group.`,
          });
        return changed(update, { root, version });
      };
      if (isTrue(request.query['dryRun'])) return dryRun(change);
      const force = isTrue(request.query['force']);
      const accepted = await changes.apply(change, { force, posted: postedBy(update, request) });
      return answer(reply.code(201).header('location', `${base}${id}`), accepted);
    });

    server.put<AtGroup>(url, async (request, reply) => {
      const update = updateIn(request);
      const change: Change = (root, version) => changed(update, { root, version });
      if (isTrue(request.query['dryRun'])) return dryRun(change);
      const force = isTrue(request.query['force']);
      const accepted = await changes.apply(change, { force, posted: postedBy(update, request) });
      return answer(reply, accepted);
    });

    server.delete<AtGroup>(url, async (request, reply) => {
      const id = at(request.params);
      const accepted = await changes.apply((root, version) => removeGroup(id, context({ root, version })), {
        force: isTrue(request.query['force']),
      });
      return answer(reply, accepted);
    });

    server.patch<AtGroup>(url, async (request, reply) => {
      const id = at(request.params);
      const settings = required(parseGroupPatch(request.body, id));
      await changes.apply((root, version) => setGroup(id, settings, context({ root, version })), {
        force: false,
      });
      return reply.code(200).send();
    });
  }

  /** What would be done, step by step; nothing is (§5.4). */
  async function dryRun(change: Change) {
    return { steps: (await changes.preview(change)).map(renderStep) };
  }

  function statusOf(pod: PodApp): Json {
    return podStatus(database.snapshot, pod, clock.now());
  }

  function context(now: Pick<GroupChange, 'root' | 'version'>): GroupChange {
    return { ...now, snapshot: database.snapshot, changes };
  }

  function changed(update: GroupUpdate, now: Pick<GroupChange, 'root' | 'version'>): WantedRoot {
    return updateGroup(update, context(now));
  }

  function existing(id: string): true {
    if (groupExists(treeOf(database.snapshot), id)) return true;
    throw new NotFound(`Group '${id}' does not exist`);
  }

  function infoAt(id: string, version: string, embed: Query[string]) {
    const tree = treeAt(database.snapshot, version);
    if (tree === undefined || !groupExists(tree, id))
      throw new NotFound(`Group '${id}' does not exist in version ${version}`);
    return groupInfo(tree, id, { sections: sectionsFrom(embed), renderApp, renderPod: statusOf });
  }
}

/** Each app that the document names is told like one that was posted. */
function postedBy(update: GroupUpdate, { ip, url }: { ip: string; url: string }): Posted {
  const apps = update.kind === 'put' ? draftsIn(update.wish).map(({ id }) => id) : [];
  return { apps, clientIp: ip, uri: url };
}

/** A version in the URL is a restore too: an old client says it so. */
function updateIn({ params, body }: { params: AtGroup['Params']; body: unknown }): GroupUpdate {
  const path = groupPath(params['*']);
  if (path.kind === 'version') return { ...path, kind: 'restore' };
  return required(parseGroup(body, at(params)));
}

type Wish = Extract<GroupUpdate, { kind: 'put' }>['wish'];

function draftsIn({ apps = [], groups = [] }: Wish): readonly { readonly id: string }[] {
  return [...apps, ...groups.flatMap(draftsIn)];
}

function answer(reply: FastifyReply, accepted: Accepted): FastifyReply {
  const { version, deploymentId } = accepted;
  return reply.headers(acceptedHeaders(accepted)).send({ version, deploymentId });
}

/** The group that a change is of; there is nothing below a group that can be changed. */
function at(params: { '*'?: string }): string {
  const path = groupPath(params['*']);
  if (path.kind !== 'group') throw new Problem(405, { message: 'Method Not Allowed' });
  return path.id;
}

/** Everything, unless embeds are given: then only what they name (§5.1). */
function sectionsFrom(embed: Query[string]): Sections {
  const given = [embed ?? []].flat();
  const has = (section: string) => given.length === 0 || given.includes(`group.${section}`);
  return { apps: has('apps'), groups: has('groups'), pods: has('pods') };
}
