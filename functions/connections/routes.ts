import type { Route } from "../http/route-table.ts";
import { audited } from "./audited.ts";
import { takeCallback } from "./callback.ts";
import { changeInstance } from "./change-instance.ts";
import { claimSession } from "./claim.ts";
import { changeConfiguration, getConfiguration, listConfiguration } from "./configuration.ts";
import { chooseConnector, showConnectPage } from "./connect-page.ts";
import { createSession } from "./connect-session.ts";
import { createInstance } from "./create-instance.ts";
import {
  deleteInstance,
  enableInstance,
  getInstance,
  getStatus,
  refreshInstance,
  rotateToken,
} from "./instance-calls.ts";
import { countInstances, listInstances } from "./list-instances.ts";
import { deps } from "./make-deps.ts";

/** Whatever changes something leaves an audit event. */
const audit = (action: string, handle: Route["handle"]): Route["handle"] => audited(deps, action, handle);

type Call = readonly [method: Route["method"], path: string, name: string, handle: Route["handle"]];

/** Below `/instances`, and the same below `/elements/{keyOrId}/instances`. */
const instanceCalls: readonly Call[] = [
  ["POST", "", "create", audit("instance.create", createInstance(deps))],
  ["GET", "", "list", listInstances(deps)],
  ["GET", "/count", "count", countInstances(deps)],
  ["GET", "/{id}", "get", getInstance(deps)],
  ["PUT", "/{id}", "put", audit("instance.change", changeInstance(deps, "whole"))],
  ["PATCH", "/{id}", "patch", audit("instance.change", changeInstance(deps, "given"))],
  ["DELETE", "/{id}", "delete", audit("instance.delete", deleteInstance(deps))],
  ["GET", "/{id}/configuration", "configuration.list", listConfiguration(deps)],
  ["GET", "/{id}/configuration/{configId}", "configuration.get", getConfiguration(deps)],
  [
    "PATCH",
    "/{id}/configuration/{configId}",
    "configuration.patch",
    audit("instance.change", changeConfiguration(deps)),
  ],
  ["PUT", "/{id}/enabled", "enable", audit("instance.enable", enableInstance(deps, true))],
  ["DELETE", "/{id}/enabled", "disable", audit("instance.disable", enableInstance(deps, false))],
  ["POST", "/{id}/token", "token", audit("instance.rotate_token", rotateToken(deps))],
  ["POST", "/{id}/refresh", "refresh", audit("instance.refresh", refreshInstance(deps))],
  ["GET", "/{id}/status", "status", getStatus(deps)],
];

/** With an instance token the id may be left out, where that is no call of its own. */
const tokenCalls: readonly Call[] = [
  ["PUT", "", "put", audit("instance.change", changeInstance(deps, "whole"))],
  ["PATCH", "", "patch", audit("instance.change", changeInstance(deps, "given"))],
  ["DELETE", "", "delete", audit("instance.delete", deleteInstance(deps))],
  ["GET", "/configuration", "configuration.list", listConfiguration(deps)],
  ["GET", "/configuration/{configId}", "configuration.get", getConfiguration(deps)],
  [
    "PATCH",
    "/configuration/{configId}",
    "configuration.patch",
    audit("instance.change", changeConfiguration(deps)),
  ],
  ["PUT", "/enabled", "enable", audit("instance.enable", enableInstance(deps, true))],
  ["DELETE", "/enabled", "disable", audit("instance.disable", enableInstance(deps, false))],
  ["POST", "/token", "token", audit("instance.rotate_token", rotateToken(deps))],
  ["POST", "/refresh", "refresh", audit("instance.refresh", refreshInstance(deps))],
  ["GET", "/status", "status", getStatus(deps)],
];

const below = (root: string, calls: readonly Call[]): Route[] =>
  calls.map(([method, path, name, handle]) => ({
    method,
    path: `${root}${path}`,
    name: `instances.${name}`,
    handle,
  }));

export const routes: readonly Route[] = [
  ...below("/instances", [...instanceCalls, ...tokenCalls]),
  ...below("/elements/{keyOrId}/instances", [...instanceCalls, ...tokenCalls]),
  {
    method: "POST",
    path: "/connect/sessions",
    name: "connect.sessions.create",
    handle: audit("session.create", createSession(deps)),
  },
  {
    method: "POST",
    path: "/connect/sessions/{id}/claim",
    name: "connect.sessions.claim",
    handle: audit("session.claim", claimSession(deps)),
  },
  { method: "GET", path: "/connect/{session}", name: "connect.page", handle: showConnectPage(deps) },
  { method: "POST", path: "/connect/{session}", name: "connect.choose", handle: chooseConnector(deps) },
  // Uses its state up: not for those who only look.
  {
    method: "GET",
    path: "/oauth/callback/{connector}",
    name: "oauth.callback",
    handle: takeCallback(deps),
    head: false,
  },
];
