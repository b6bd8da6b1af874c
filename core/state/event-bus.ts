import type { App } from '../model/app.ts';
import type { Deployment } from '../model/deployment.ts';
import type { AppId, Version } from '../model/ids.ts';
import type { Instance } from '../model/instance.ts';

/** What the master did, for those who follow along. Changes of instances are seen in the tables instead. */
export type MasterEvent =
  | { readonly kind: 'app-posted'; readonly app: App; readonly clientIp: string; readonly uri: string }
  | {
      readonly kind: 'pod-changed';
      readonly change: 'created' | 'updated' | 'deleted';
      readonly clientIp: string;
      readonly uri: string;
    }
  | { readonly kind: 'root-changed'; readonly version: Version }
  | { readonly kind: 'deployment-step'; readonly deployment: Deployment }
  | { readonly kind: 'deployment-step-done'; readonly deployment: Deployment }
  | { readonly kind: 'deployment-done'; readonly deployment: Deployment }
  | { readonly kind: 'deployment-failed'; readonly deployment: Deployment; readonly reason: string }
  | { readonly kind: 'app-terminated'; readonly appId: AppId }
  /** Something ended of which no placement is kept any more (Marathon §16.5). */
  | { readonly kind: 'stranger-ended'; readonly instance: Instance }
  /** Instances are not ended for their health, for these reasons; none: they are again. */
  | { readonly kind: 'health-brake'; readonly reasons: readonly string[] };

/** Hands events to whoever listens now; nothing is kept. */
export class EventBus {
  readonly #listeners = new Set<(event: MasterEvent) => void>();

  emit(event: MasterEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: MasterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
