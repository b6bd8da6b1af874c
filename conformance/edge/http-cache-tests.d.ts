/** The parts of http-cache-tests that are used here; it has no types of its own. */
declare module 'http-cache-tests/client/runner.mjs' {
  export function runTests(
    suites: readonly unknown[],
    fetch: typeof globalThis.fetch,
    browserCache: boolean,
    base: string,
    atOnce?: number,
  ): Promise<void>;
  /** By test id: true, or why it failed. */
  export function getResults(): Readonly<Record<string, true | readonly [kind: string, message: string]>>;
}

declare module 'http-cache-tests/tests/index.mjs' {
  const suites: readonly { readonly tests: readonly { readonly id: string }[] }[];
  export default suites;
}
