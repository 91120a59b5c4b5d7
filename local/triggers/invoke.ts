/** The result of a trigger's call of a function. */
export interface InvokeResult {
  /** False: the handler threw, or the function could not start or timed out. */
  readonly ok: boolean;
  /** The handler's return value, or Lambda's error object. */
  readonly payload: unknown;
  /** True: Lambda had no free process, so the function did not run. */
  readonly throttled?: boolean;
}

export type Invoke = (functionName: string, event: unknown) => Promise<InvokeResult>;

/** The function's own credentials: a trigger reads a queue with the function's role. */
export interface FunctionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}
