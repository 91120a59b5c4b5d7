import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Provider, { type Adapter, type AdapterPayload, type JWK } from "oidc-provider";
import { endServer } from "../../local/listen.ts";
import type { TestVendor, VendorClient } from "./vendor.ts";

/**
 * `strict`, simulated with oidc-provider (https://github.com/panva/node-oidc-provider), a certified authorization server that
 * is not ours: it rotates refresh tokens, and ends the whole grant when one comes twice. Consent is given without asking.
 */
export async function startStrictVendor(client: VendorClient): Promise<TestVendor> {
  let account = "ann";
  const items = new Map<string, AdapterPayload>();
  const provider = new Provider("https://strict.vendor.example", {
    adapter: (kind) => adapterOf(kind, items),
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [...client.redirectUris],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    routes: { authorization: "/authorize", token: "/token", revocation: "/revoke" },
    features: {
      devInteractions: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_context, { clientId }, token) => token.clientId === clientId,
      },
      userinfo: { enabled: false },
    },
    scopes: ["files"],
    rotateRefreshToken: true,
    issueRefreshToken: () => true,
    pkce: { required: () => false },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    cookies: { keys: ["only tests know it"] },
    jwks: { keys: [signingKey()] },
    ttl: {
      AccessToken: 3_600,
      AuthorizationCode: 600,
      RefreshToken: 86_400,
      Grant: 86_400,
      Session: 600,
      Interaction: 600,
    },
  });

  /** Each sign-in is a new consent, as at a vendor that always asks. */
  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, params } = await provider.interactionDetails(request, response);
    if (prompt.name === "login") {
      await provider.interactionFinished(request, response, {
        login: { accountId: account, remember: false },
      });
      return;
    }
    const grant = new provider.Grant({ accountId: account, clientId: String(params.client_id) });
    grant.addOIDCScope(String(params.scope));
    await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  }

  async function me(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, value = "-"] = /^Bearer (.+)$/.exec(request.headers.authorization ?? "") ?? [];
    const token = await provider.AccessToken.find(value);
    const living = token !== undefined && !token.isExpired;
    response.writeHead(living ? 200 : 401, { "Content-Type": "application/json" });
    response.end(JSON.stringify(living ? { id: token.accountId } : { error: "invalid_token" }));
  }

  const oauth = provider.callback();
  const server = createServer((request, response) => {
    const [, first] = /^\/([a-z]+)/.exec(request.url ?? "") ?? [];
    const fail = (error: unknown): void => void response.writeHead(500).end(String(error));
    if (first === "interaction") interact(request, response).catch(fail);
    else if (first === "api") me(request, response).catch(fail);
    else oauth(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  const refreshTokens = (): AdapterPayload[] =>
    [...items].filter(([key]) => key.startsWith("RefreshToken ")).map(([, item]) => item);
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    signsIn: (next) => {
      account = next;
    },
    living: () => refreshTokens().filter(({ consumed }) => consumed === undefined).length,
    revokeAll(of) {
      for (const { accountId, grantId } of refreshTokens()) {
        if (accountId === of && grantId !== undefined) endGrant(items, grantId);
      }
    },
    close: () => endServer(server),
  };
}

/** oidc-provider complains without a key, although nothing is signed with the key here. */
function signingKey(): JWK {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return privateKey.export({ format: "jwk" }) as JWK;
}

/** oidc-provider's storage: one map for all kinds, so that a test can count the valid tokens. */
function adapterOf(kind: string, items: Map<string, AdapterPayload>): Adapter {
  const key = (id: string): string => `${kind} ${id}`;
  const find = async (wanted: (item: AdapterPayload) => boolean): Promise<AdapterPayload | undefined> =>
    [...items].find(([name, item]) => name.startsWith(`${kind} `) && wanted(item))?.[1];
  return {
    upsert: async (id, payload) => void items.set(key(id), payload),
    find: async (id) => items.get(key(id)),
    findByUid: (uid) => find((item) => item.uid === uid),
    findByUserCode: (userCode) => find((item) => item.userCode === userCode),
    consume: async (id) => {
      const item = items.get(key(id));
      if (item !== undefined) items.set(key(id), { ...item, consumed: Math.floor(Date.now() / 1000) });
    },
    destroy: async (id) => void items.delete(key(id)),
    revokeByGrantId: async (grantId) => endGrant(items, grantId),
  };
}

function endGrant(items: Map<string, AdapterPayload>, grantId: string): void {
  for (const [key, item] of items)
    if (item.grantId === grantId || key === `Grant ${grantId}`) items.delete(key);
}
