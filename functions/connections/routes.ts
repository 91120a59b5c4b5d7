import { authorizeOrganization, authorizePlatform } from "../http/authorize.ts";
import { implement, type Route } from "../http/contract.ts";
import type { HttpRequest } from "../http/request.ts";
import { takeCallback } from "./callback.ts";
import { changeInstance } from "./change-instance.ts";
import { claimSession } from "./claim.ts";
import { changeConfiguration, getConfiguration, listConfiguration } from "./configuration.ts";
import { chooseConnector, showConnectPage } from "./connect-page.ts";
import { createSession } from "./connect-session.ts";
import { connectionContracts } from "./contracts.ts";
import { createInstance } from "./create-instance.ts";
import type { ConnectionDeps } from "./deps.ts";
import {
  deleteInstance,
  enableInstance,
  getInstance,
  getStatus,
  refreshInstance,
  rotateToken,
} from "./instance-calls.ts";
import { listCaller } from "./list-caller.ts";
import { countInstances, listInstances } from "./list-instances.ts";
import {
  changeApplicationUrls,
  createOAuthProxy,
  deleteOAuthProxy,
  listOAuthProxies,
} from "./oauth-proxies.ts";
import { type InstanceUse, ownInstance } from "./own-instance.ts";

export function connectionRoutes(deps: () => ConnectionDeps): readonly Route[] {
  const own = (use: InstanceUse) => (request: HttpRequest) => ownInstance(deps(), request, use);
  return implement(
    connectionContracts,
    {
      user: (request: HttpRequest) => authorizePlatform(request, deps().tenants),
      instanceOfUser: own("use"),
      newestTokenOrUser: own("rotate"),
      userOfInstance: own("change"),
      userOrInstance: (request: HttpRequest) => listCaller(deps(), request),
      userAndOrganization: (request: HttpRequest) => authorizeOrganization(request, deps().tenants),
    },
    {
      "instances.create": createInstance(deps),
      "instances.list": listInstances(deps),
      "instances.count": countInstances(deps),
      "instances.get": getInstance,
      "instances.put": changeInstance(deps, "whole"),
      "instances.patch": changeInstance(deps, "given"),
      "instances.delete": deleteInstance(deps),
      "instances.configuration.list": listConfiguration,
      "instances.configuration.get": getConfiguration,
      "instances.configuration.patch": changeConfiguration(deps),
      "instances.enable": enableInstance(deps, true),
      "instances.disable": enableInstance(deps, false),
      "instances.token": rotateToken(deps),
      "instances.refresh": refreshInstance(deps),
      "instances.status": getStatus(deps),
      "connect.sessions.create": createSession(deps),
      "connect.sessions.claim": claimSession(deps),
      "connect.page": showConnectPage(deps),
      "connect.choose": chooseConnector(deps),
      "oauth.callback": takeCallback(deps),
      "oauth.proxies.list": listOAuthProxies(deps),
      "oauth.proxies.create": createOAuthProxy(deps),
      "oauth.proxies.delete": deleteOAuthProxy(deps),
      "oauth.proxies.urls.add": changeApplicationUrls(deps, "add"),
      "oauth.proxies.urls.remove": changeApplicationUrls(deps, "remove"),
    },
  );
}
