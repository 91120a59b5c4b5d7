import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { endServer, listen } from "../../local/listen.ts";
import { VendorModel } from "../grant/model/vendor-model.ts";
import type { TestVendor, VendorClient } from "./vendor.ts";

/**
 * `grace`, `steady` and `again`: an authorization server over the vendor model of the model test
 * (grant/model/vendor-model.ts), so that both behave the same. Consent is given without asking; the revocation of a refresh
 * token ends the token and the access tokens that came with it.
 */
export async function startFamilyVendor(
  kind: "grace" | "steady" | "again",
  client: VendorClient,
): Promise<TestVendor> {
  const model = new VendorModel(({ grace: "G", steady: "N", again: "A" } as const)[kind]);
  let account = "ann";
  let families = 0;
  const codes = new Map<string, { redirectUri: string; account: string }>();
  /** Refresh and access tokens by their value; `id` is the id in the model. */
  const tokens = new Map<string, { id: number; account: string; kind: "refresh" | "access" }>();

  const issue = (id: number, of: string) => {
    const [known] = [...tokens].find(([, token]) => token.id === id && token.kind === "refresh") ?? [];
    const refresh = known ?? randomBytes(24).toString("base64url");
    const access = randomBytes(24).toString("base64url");
    tokens.set(refresh, { id, account: of, kind: "refresh" });
    tokens.set(access, { id, account: of, kind: "access" });
    return { access_token: access, refresh_token: refresh, token_type: "bearer", expires_in: 3_600 };
  };

  function token(form: URLSearchParams): { status: number; body: unknown } {
    if (form.get("client_id") !== client.clientId || form.get("client_secret") !== client.clientSecret) {
      return { status: 401, body: { error: "invalid_client" } };
    }
    const invalid = { status: 400, body: { error: "invalid_grant" } };
    if (form.get("grant_type") === "authorization_code") {
      const code = codes.get(form.get("code") ?? "");
      codes.delete(form.get("code") ?? "");
      if (code === undefined || code.redirectUri !== form.get("redirect_uri")) return invalid;
      families += 1;
      return { status: 200, body: issue(model.signIn(families, code.account), code.account) };
    }
    const sent = tokens.get(form.get("refresh_token") ?? "");
    if (sent?.kind !== "refresh") return invalid;
    const next = model.refresh(sent.id);
    if (next === 0) return invalid;
    const { refresh_token, ...answer } = issue(next, sent.account);
    return { status: 200, body: next === sent.id ? answer : { ...answer, refresh_token } };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://vendor");
    const form = new URLSearchParams(await text(request));
    const send = (status: number, body: unknown): void =>
      void response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    switch (url.pathname) {
      case "/authorize": {
        const redirectUri = url.searchParams.get("redirect_uri") ?? "";
        if (!client.redirectUris.includes(redirectUri)) return send(400, { error: "invalid_request" });
        const code = randomBytes(16).toString("base64url");
        codes.set(code, { redirectUri, account });
        const back = new URL(redirectUri);
        back.searchParams.set("code", code);
        back.searchParams.set("state", url.searchParams.get("state") ?? "");
        return void response.writeHead(302, { Location: back.href }).end();
      }
      case "/token": {
        const { status, body } = token(form);
        return send(status, body);
      }
      case "/revoke": {
        const ended = tokens.get(form.get("token") ?? "");
        if (ended !== undefined) model.revoke(ended.id);
        return send(200, {});
      }
      case "/api/me": {
        const [, value = ""] = /^Bearer (.+)$/.exec(request.headers.authorization ?? "") ?? [];
        const found = tokens.get(value);
        const living = found?.kind === "access" && !model.isEnded(found.id);
        return living ? send(200, { id: found.account }) : send(401, { error: "invalid_token" });
      }
      default:
        return send(404, { error: "not_found" });
    }
  }

  const { server, url: origin, handle } = await listen(0);
  handle((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  return {
    origin,
    signsIn: (next) => {
      account = next;
    },
    living: () => model.all().filter((id) => model.isLiving(id)).length,
    revokeAll(of) {
      for (const { id, account: owner } of tokens.values()) if (owner === of) model.revoke(id);
    },
    close: () => endServer(server),
  };
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
