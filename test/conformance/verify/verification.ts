/** What a run against a real vendor gives to the process with the tests. */
export interface Verification {
  readonly connector: string;
  readonly baseUrl: string;
  /** Of the instance. */
  readonly token: string;
  readonly instanceId: number;
  /** Path of the folder in which all tests work. */
  readonly folder: string;
  /** How long to wait for rate limits, all together. */
  readonly patienceMs: number;
}

declare module "vitest" {
  interface ProvidedContext {
    verification: Verification;
  }
}
