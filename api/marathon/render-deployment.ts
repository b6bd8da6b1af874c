import type { Deployment, DeploymentStep } from '../../core/model/deployment.ts';
import type { Json } from './render-app.ts';

/** §7.1. Steps count from 1. */
export function renderDeployment(deployment: Deployment): Json {
  const current = deployment.steps[deployment.step];
  return {
    id: deployment.id,
    version: deployment.version,
    affectedApps: deployment.affectedApps,
    affectedPods: [],
    steps: deployment.steps.map(renderStep),
    currentActions: (current?.actions ?? []).map((action) => ({
      action: action.kind,
      app: action.app,
      readinessCheckResults: [],
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
  return { actions: (step?.actions ?? []).map(({ kind, app }) => ({ action: kind, app })) };
}
