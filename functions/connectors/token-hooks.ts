/**
 * The kind of a token request: the two of RFC 6749, and the two of a long-lived token (`exchange`: the second
 * request of a code exchange; `renewal`).
 */
export type TokenRequestKind = "authorization_code" | "refresh_token" | "exchange" | "renewal";

/** A token request before it is sent: input and output of the hook `tokenRequest`. */
export interface TokenRequest {
  readonly kind: TokenRequestKind;
  readonly method: "POST" | "GET";
  /** URL without the parameters of `form`; a query that is already in the URL is kept. */
  readonly url: string;
  /**
   * Lower-case names. With client_secret_basic, `authorization` holds the client. Linkspan sets Content-Type
   * to match the body.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** The body of a POST, the query of a GET. */
  readonly form: Readonly<Record<string, string>>;
  /** Sent as JSON in place of the form. */
  readonly json?: Readonly<Record<string, unknown>>;
}

/** A token endpoint's answer: input of the hook `tokenResponse`, whose output has `status` and `body`. */
export interface TokenAnswer {
  readonly kind: TokenRequestKind;
  readonly status: number;
  /** Parsed from JSON or from a form. Hooks are not called for an answer that is neither. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The exports of a file in `hooks/`: rules for a vendor's token requests that data cannot express. */
export interface TokenHooks {
  /**
   * Converts RFC 6749's request to the vendor's form: another method, JSON, renamed parameters. Must be a
   * pure function, and use only hosts that the connector declares. If the hook throws, the request is not
   * sent.
   */
  readonly tokenRequest?: (request: TokenRequest) => TokenRequest;
  /**
   * Converts the vendor's answer to RFC 6749's form, so that grants and refusals are recognized. Must be a
   * pure function.
   */
  readonly tokenResponse?: (answer: TokenAnswer) => Pick<TokenAnswer, "status" | "body">;
}
