/** How a trigger calls a function: buffered, with an event that the service made. */
export interface InvokeResult {
  /** False: the handler threw, the function could not start or ran into its timeout. */
  readonly ok: boolean;
  /** What the handler returned, or Lambda's error object. */
  readonly payload: unknown;
  /** Lambda had no process free for it: nothing ran. */
  readonly throttled?: boolean;
}

export type Invoke = (functionName: string, event: unknown) => Promise<InvokeResult>;

/** The function's own credentials: a trigger that reads a queue does so under the function's role. */
export interface FunctionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}
