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
import { parts } from "./make-parts.ts";

/** Whatever changes something leaves an audit event. */
const audit = (action: string, handle: Route["handle"]): Route["handle"] => audited(parts, action, handle);

type Call = readonly [method: Route["method"], path: string, name: string, handle: Route["handle"]];

/** Below `/instances`, and the same below `/elements/{keyOrId}/instances`. */
const instanceCalls: readonly Call[] = [
  ["POST", "", "create", audit("instance.create", createInstance(parts))],
  ["GET", "", "list", listInstances(parts)],
  ["GET", "/count", "count", countInstances(parts)],
  ["GET", "/{id}", "get", getInstance(parts)],
  ["PUT", "/{id}", "put", audit("instance.change", changeInstance(parts, "whole"))],
  ["PATCH", "/{id}", "patch", audit("instance.change", changeInstance(parts, "given"))],
  ["DELETE", "/{id}", "delete", audit("instance.delete", deleteInstance(parts))],
  ["GET", "/{id}/configuration", "configuration.list", listConfiguration(parts)],
  ["GET", "/{id}/configuration/{configId}", "configuration.get", getConfiguration(parts)],
  [
    "PATCH",
    "/{id}/configuration/{configId}",
    "configuration.patch",
    audit("instance.change", changeConfiguration(parts)),
  ],
  ["PUT", "/{id}/enabled", "enable", audit("instance.enable", enableInstance(parts, true))],
  ["DELETE", "/{id}/enabled", "disable", audit("instance.disable", enableInstance(parts, false))],
  ["POST", "/{id}/token", "token", audit("instance.rotate_token", rotateToken(parts))],
  ["POST", "/{id}/refresh", "refresh", audit("instance.refresh", refreshInstance(parts))],
  ["GET", "/{id}/status", "status", getStatus(parts)],
];

/** With an instance token the id may be left out, where that is no call of its own. */
const tokenCalls: readonly Call[] = [
  ["PUT", "", "put", audit("instance.change", changeInstance(parts, "whole"))],
  ["PATCH", "", "patch", audit("instance.change", changeInstance(parts, "given"))],
  ["DELETE", "", "delete", audit("instance.delete", deleteInstance(parts))],
  ["GET", "/configuration", "configuration.list", listConfiguration(parts)],
  ["GET", "/configuration/{configId}", "configuration.get", getConfiguration(parts)],
  [
    "PATCH",
    "/configuration/{configId}",
    "configuration.patch",
    audit("instance.change", changeConfiguration(parts)),
  ],
  ["PUT", "/enabled", "enable", audit("instance.enable", enableInstance(parts, true))],
  ["DELETE", "/enabled", "disable", audit("instance.disable", enableInstance(parts, false))],
  ["POST", "/token", "token", audit("instance.rotate_token", rotateToken(parts))],
  ["POST", "/refresh", "refresh", audit("instance.refresh", refreshInstance(parts))],
  ["GET", "/status", "status", getStatus(parts)],
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
    handle: audit("session.create", createSession(parts)),
  },
  {
    method: "POST",
    path: "/connect/sessions/{id}/claim",
    name: "connect.sessions.claim",
    handle: audit("session.claim", claimSession(parts)),
  },
  { method: "GET", path: "/connect/{session}", name: "connect.page", handle: showConnectPage(parts) },
  { method: "POST", path: "/connect/{session}", name: "connect.choose", handle: chooseConnector(parts) },
  // Uses its state up: not for those who only look.
  {
    method: "GET",
    path: "/oauth/callback/{connector}",
    name: "oauth.callback",
    handle: takeCallback(parts),
    head: false,
  },
];
