import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { endServer } from "../../local/listen.ts";

/** Access tokens of a thousand characters, so that an item has the 3 KB that docs/cost.md counts with. */
const ACCESS_TOKEN_BYTES = 750;
/** https://developers.dropbox.com/oauth-guide: four hours. */
const LIFETIME_SECONDS = 14_400;

/**
 * A token endpoint that counts, for each refresh token, how often it was redeemed, and remembers the access token it gave
 * last.
 */
export interface TokenServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly client: { readonly id: string; readonly secret: string };
  /** Issues a refresh token that the server accepts, with a first access token. */
  issue(): { readonly refreshToken: string; readonly accessToken: string; readonly lifetimeMs: number };
  /** How often a refresh token was redeemed. */
  redeemed(refreshToken: string): number;
  /** The access token that the last redemption returned. */
  accessTokenOf(refreshToken: string): string | undefined;
  /** Number of all requests, valid or not. */
  requests(): number;
  close(): Promise<void>;
}

/**
 * RFC 6749 section 6 with client_secret_post and without rotation, as Dropbox has it. An unknown token or client is refused.
 */
export async function startTokenServer(): Promise<TokenServer> {
  const client = { id: "bench-client", secret: randomBytes(16).toString("hex") };
  const issued = new Map<string, { times: number; accessToken: string }>();
  let requests = 0;

  const server = createServer(async (request, response) => {
    requests += 1;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
    const grant = issued.get(form.get("refresh_token") ?? "");
    const isClient = form.get("client_id") === client.id && form.get("client_secret") === client.secret;
    const answer = (status: number, body: object): void => {
      response
        .writeHead(status, { "content-type": "application/json", "cache-control": "no-store" })
        .end(JSON.stringify(body));
    };
    if (request.method !== "POST" || request.url !== "/oauth2/token") return answer(404, {});
    if (!isClient) return answer(401, { error: "invalid_client" });
    if (form.get("grant_type") !== "refresh_token" || grant === undefined)
      return answer(400, { error: "invalid_grant" });
    grant.times += 1;
    grant.accessToken = randomBytes(ACCESS_TOKEN_BYTES).toString("base64url");
    answer(200, { access_token: grant.accessToken, token_type: "bearer", expires_in: LIFETIME_SECONDS });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    client,
    issue() {
      const refreshToken = randomBytes(48).toString("base64url");
      const accessToken = randomBytes(ACCESS_TOKEN_BYTES).toString("base64url");
      issued.set(refreshToken, { times: 0, accessToken });
      return { refreshToken, accessToken, lifetimeMs: LIFETIME_SECONDS * 1000 };
    },
    redeemed: (refreshToken) => issued.get(refreshToken)?.times ?? 0,
    accessTokenOf: (refreshToken) => issued.get(refreshToken)?.accessToken,
    requests: () => requests,
    close: () => endServer(server),
  };
}
