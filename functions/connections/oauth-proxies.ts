import { randomInt } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Conflict, InvalidRequest, NotFound } from "../core/errors.ts";
import { isoSeconds } from "../core/iso-seconds.ts";
import { checkApplicationUrl, isSameEntry } from "../core/tenants/allow-lists.ts";
import {
  MAX_APPLICATION_URLS,
  MAX_OAUTH_PROXIES,
  type OAuthProxy,
  oauthProxyId,
} from "../core/tenants/oauth-proxies.ts";
import { type HttpRequest, json } from "../http/request.ts";
import { decodeSegment } from "../http/route-table.ts";
import type { ConnectionDeps } from "./deps.ts";
import type { OAuthProxyAnswer, OAuthProxyHandle } from "./oauth-proxy-contracts.ts";

// An organization's OAuth proxies: GET, POST and DELETE /elements/oauthProxies, and their lists of URLs.

const represent = ({ id, name, applicationUrls, createdAt }: OAuthProxy): OAuthProxyAnswer => ({
  id,
  name,
  applicationUrls,
  createdDate: isoSeconds(createdAt),
});

export function listOAuthProxies(deps: () => ConnectionDeps): OAuthProxyHandle<"oauth.proxies.list"> {
  return async (_request, { caller: { organization } }) =>
    json((await deps().proxies.list(organization.id)).map(represent));
}

export function createOAuthProxy(deps: () => ConnectionDeps): OAuthProxyHandle<"oauth.proxies.create"> {
  return async (_request, { caller: { organization }, body: { name } }) => {
    const { proxies, transients } = deps();
    const { length } = await proxies.list(organization.id);
    if (length >= MAX_OAUTH_PROXIES) {
      throw new InvalidRequest(`an organization has at most ${MAX_OAUTH_PROXIES} OAuth proxies`, "name");
    }
    const id = oauthProxyId(organization.id, name);
    const createdAt = transients.now();
    const proxy = { id, organizationId: organization.id, name, applicationUrls: [], revision: 0, createdAt };
    if (!(await proxies.create(proxy))) throw new Conflict(`there is an OAuth proxy ${name} already`);
    return json(represent(proxy));
  };
}

export function deleteOAuthProxy(deps: () => ConnectionDeps): OAuthProxyHandle<"oauth.proxies.delete"> {
  return async (request, { caller: { organization } }) => {
    const id = idOf(request);
    if (!(await deps().proxies.remove(organization.id, id))) throw unknownProxy(id);
    return json({});
  };
}

/** POST and DELETE …/applicationUrl?applicationUrl=…: a URL that is there already, or not there, changes nothing. */
export function changeApplicationUrls(
  deps: () => ConnectionDeps,
  how: "add" | "remove",
): OAuthProxyHandle<"oauth.proxies.urls.add" | "oauth.proxies.urls.remove"> {
  return async (request, { caller: { organization }, query: { applicationUrl } }) => {
    if (applicationUrl === undefined) throw new InvalidRequest("applicationUrl is missing", "applicationUrl");
    const url = how === "add" ? checkApplicationUrl(applicationUrl.trim()) : applicationUrl.trim();
    const changed = await changeUrls(deps(), organization.id, idOf(request), (urls) => {
      const others = urls.filter((each) => !isSameEntry(each, url));
      if (how === "remove") return others;
      if (others.length >= MAX_APPLICATION_URLS) {
        throw new InvalidRequest(
          `an OAuth proxy has at most ${MAX_APPLICATION_URLS} application URLs`,
          "applicationUrl",
        );
      }
      return others.length < urls.length ? urls : [...urls, url];
    });
    return json(represent(changed));
  };
}

/** Two changes at once: one of them reads again. */
async function changeUrls(
  { proxies }: ConnectionDeps,
  organizationId: string,
  id: number,
  change: (urls: readonly string[]) => readonly string[],
): Promise<OAuthProxy> {
  for (let tries = 0; tries < 5; tries++) {
    const seen = await proxies.get(organizationId, id);
    if (seen === undefined) throw unknownProxy(id);
    const applicationUrls = change(seen.applicationUrls);
    const isSame = applicationUrls.length === seen.applicationUrls.length;
    if (isSame || (await proxies.replaceUrls(seen, applicationUrls))) return { ...seen, applicationUrls };
    await setTimeout(randomInt(20, 100));
  }
  throw new Conflict("the OAuth proxy is being changed by others; try again", "changed");
}

function idOf(request: HttpRequest): number {
  const id = decodeSegment(request, "id");
  return /^\d{1,15}$/.test(id) ? Number(id) : -1;
}

function unknownProxy(id: number): NotFound {
  return new NotFound(
    id < 0 ? "there is no such OAuth proxy" : `there is no OAuth proxy ${id}`,
    "unknown_oauth_proxy",
  );
}
