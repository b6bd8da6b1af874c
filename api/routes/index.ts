import type { FastifyInstance } from 'fastify';
import { AppTexts } from '../app-texts.ts';
import { AppChanges } from '../change-apps.ts';
import type { ApiDependencies, ApiOptions } from '../dependencies.ts';
import { agentRoutes } from './agents.ts';
import { appRoutes } from './apps.ts';
import { brakeRoutes } from './brake.ts';
import { certificateRoutes } from './certificates.ts';
import { deploymentRoutes } from './deployments.ts';
import { docsRoutes } from './docs.ts';
import { edgeRoutes } from './edge.ts';
import { edgelbRoutes } from './edgelb.ts';
import { eventRoutes } from './events.ts';
import { groupRoutes } from './groups.ts';
import { issuanceRoutes } from './issuances.ts';
import { listenerRoutes } from './listeners.ts';
import { loggingRoutes } from './logging.ts';
import { metricsRoutes } from './metrics.ts';
import { networkRoutes } from './networks.ts';
import { nodeRoutes } from './nodes.ts';
import { podRoutes } from './pods.ts';
import { poolRoutes } from './pools.ts';
import { publicRoutes } from './public-routes.ts';
import { queueRoutes } from './queue.ts';
import { serviceRoutes } from './service.ts';
import { localSystemRoutes, systemRoutes } from './system.ts';
import { taskRoutes } from './tasks.ts';
import { vipRoutes } from './vips.ts';
import { whyRoutes } from './why.ts';

/** What every master answers by itself, whoever leads (Marathon §1.5). */
export function localRoutes(server: FastifyInstance, dependencies: ApiDependencies): void {
  docsRoutes(server);
  localSystemRoutes(server);
  metricsRoutes(server, dependencies);
  loggingRoutes(server, dependencies);
}

/** The one list of what the API answers. */
export function allRoutes(server: FastifyInstance, dependencies: ApiDependencies, options: ApiOptions): void {
  localRoutes(server, dependencies);
  systemRoutes(server, dependencies, options);
  const changes = new AppChanges(dependencies, options);
  const texts = new AppTexts();
  appRoutes(server, dependencies, { changes, texts, options });
  groupRoutes(server, dependencies, { changes, texts, options });
  podRoutes(server, dependencies, { changes, options });
  taskRoutes(server, dependencies, changes);
  deploymentRoutes(server, dependencies, changes);
  queueRoutes(server, dependencies);
  eventRoutes(server, dependencies);
  agentRoutes(server, dependencies, options);
  nodeRoutes(server, dependencies);
  networkRoutes(server, dependencies);
  publicRoutes(server, dependencies);
  listenerRoutes(server, dependencies);
  poolRoutes(server, dependencies);
  edgelbRoutes(server, dependencies);
  edgeRoutes(server, dependencies);
  certificateRoutes(server, dependencies);
  issuanceRoutes(server, dependencies);
  vipRoutes(server, dependencies);
  whyRoutes(server, dependencies);
  brakeRoutes(server, dependencies);
  serviceRoutes(server, dependencies);
}
