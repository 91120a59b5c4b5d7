/**
 * Which request it is: RFC 6749's two, and the two of a long-lived token (`exchange`: the second one of a code exchange;
 * `renewal`).
 */
export type TokenRequestKind = "authorization_code" | "refresh_token" | "exchange" | "renewal";

/** A token request before it is written: what `tokenRequest` is given, and what it answers. */
export interface TokenRequest {
  readonly kind: TokenRequestKind;
  readonly method: "POST" | "GET";
  /** Without our query; a query already in the URL is kept. */
  readonly url: string;
  /** Lower-case names. With client_secret_basic the client is in `authorization`. Content-Type is set by what is sent. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body of a POST, the query of a GET. */
  readonly form: Readonly<Record<string, string>>;
  /** Sent as JSON in place of the form. */
  readonly json?: Readonly<Record<string, unknown>>;
}

/** A token endpoint's answer: what `tokenResponse` is given, and in `status` and `body` what it answers. */
export interface TokenAnswer {
  readonly kind: TokenRequestKind;
  readonly status: number;
  /** Of JSON, or of a form. An answer that is neither has no body, and no hook sees it. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a file of `hooks/` exports: what data cannot say of a vendor's token requests. */
export interface TokenHooks {
  /**
   * What goes out in place of RFC 6749's request: another method, JSON, renamed parameters. Pure, and only to hosts that the
   * connector declares. Throwing leaves the request unsent.
   */
  readonly tokenRequest?: (request: TokenRequest) => TokenRequest;
  /** Converts the vendor's answer to RFC 6749's form, so that grants and kinds of refusal are recognized. Pure. */
  readonly tokenResponse?: (answer: TokenAnswer) => Pick<TokenAnswer, "status" | "body">;
}
