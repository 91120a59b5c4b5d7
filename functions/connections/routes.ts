import type { Route } from "../http/route-table.ts";
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

type Call = readonly [method: Route["method"], path: string, name: string, handle: Route["handle"]];

/** Below `/instances`, and the same below `/elements/{keyOrId}/instances`. */
const instanceCalls: readonly Call[] = [
  ["POST", "", "create", createInstance(parts)],
  ["GET", "", "list", listInstances(parts)],
  ["GET", "/count", "count", countInstances(parts)],
  ["GET", "/{id}", "get", getInstance(parts)],
  ["PUT", "/{id}", "put", changeInstance(parts, "whole")],
  ["PATCH", "/{id}", "patch", changeInstance(parts, "given")],
  ["DELETE", "/{id}", "delete", deleteInstance(parts)],
  ["GET", "/{id}/configuration", "configuration.list", listConfiguration(parts)],
  ["GET", "/{id}/configuration/{configId}", "configuration.get", getConfiguration(parts)],
  ["PATCH", "/{id}/configuration/{configId}", "configuration.patch", changeConfiguration(parts)],
  ["PUT", "/{id}/enabled", "enable", enableInstance(parts, true)],
  ["DELETE", "/{id}/enabled", "disable", enableInstance(parts, false)],
  ["POST", "/{id}/token", "token", rotateToken(parts)],
  ["POST", "/{id}/refresh", "refresh", refreshInstance(parts)],
  ["GET", "/{id}/status", "status", getStatus(parts)],
];

/** With an instance token the id may be left out, where that is no call of its own. */
const tokenCalls: readonly Call[] = [
  ["PUT", "", "put", changeInstance(parts, "whole")],
  ["PATCH", "", "patch", changeInstance(parts, "given")],
  ["DELETE", "", "delete", deleteInstance(parts)],
  ["GET", "/configuration", "configuration.list", listConfiguration(parts)],
  ["GET", "/configuration/{configId}", "configuration.get", getConfiguration(parts)],
  ["PATCH", "/configuration/{configId}", "configuration.patch", changeConfiguration(parts)],
  ["PUT", "/enabled", "enable", enableInstance(parts, true)],
  ["DELETE", "/enabled", "disable", enableInstance(parts, false)],
  ["POST", "/token", "token", rotateToken(parts)],
  ["POST", "/refresh", "refresh", refreshInstance(parts)],
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
    handle: createSession(parts),
  },
  {
    method: "POST",
    path: "/connect/sessions/{id}/claim",
    name: "connect.sessions.claim",
    handle: claimSession(parts),
  },
  // The first browser keeps the session, and the callback uses its state up: neither for those who only look.
  {
    method: "GET",
    path: "/connect/{session}",
    name: "connect.page",
    handle: showConnectPage(parts),
    head: false,
  },
  { method: "POST", path: "/connect/{session}", name: "connect.choose", handle: chooseConnector(parts) },
  {
    method: "GET",
    path: "/oauth/callback/{connector}",
    name: "oauth.callback",
    handle: takeCallback(parts),
    head: false,
  },
];
