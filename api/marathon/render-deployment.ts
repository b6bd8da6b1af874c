import type { Deployment, DeploymentAction, DeploymentStep } from '../../core/model/deployment.ts';
import type { AppId } from '../../core/model/ids.ts';
import type { Json } from './render-app.ts';

/** §7.1. Steps count from 1. `readinessOf`: what an app's readiness checks came to. */
export function renderDeployment(
  deployment: Deployment,
  readinessOf: (app: AppId) => readonly Json[] = () => [],
): Json {
  const current = deployment.steps[deployment.step];
  const pods = new Set(podsIn(deployment));
  return {
    id: deployment.id,
    version: deployment.version,
    affectedApps: deployment.affectedApps.filter((id) => !pods.has(id)),
    affectedPods: deployment.affectedApps.filter((id) => pods.has(id)),
    steps: deployment.steps.map(renderStep),
    currentActions: (current?.actions ?? []).map((action) => ({
      ...renderAction(action),
      readinessCheckResults: readinessOf(action.app),
    })),
    currentStep: Math.min(deployment.step + 1, deployment.steps.length),
    totalSteps: deployment.steps.length,
  };
}

/** The plan as events carry it, without the groups before and after (§9.2, light form). */
export function renderPlan(deployment: Deployment): Json {
  return { id: deployment.id, steps: deployment.steps.map(renderStep), version: deployment.version };
}

export function renderStep(step: DeploymentStep | undefined): Json {
  return { actions: (step?.actions ?? []).map(renderAction) };
}

/** Of a pod, the action and its object have other names. */
function renderAction({ kind, app, pod }: DeploymentAction): Json {
  return pod === undefined ? { action: kind, app } : { action: kind.replace('Application', 'Pod'), pod: app };
}

function podsIn({ steps }: Deployment): readonly string[] {
  return steps.flatMap(({ actions }) => actions.flatMap(({ app, pod }) => (pod === undefined ? [] : app)));
}
