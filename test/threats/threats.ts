import { callerThreats } from "./rows/callers.ts";
import { grantThreats } from "./rows/grants.ts";
import { oauthThreats } from "./rows/oauth.ts";
import { operationThreats } from "./rows/operations.ts";
import { vendorThreats } from "./rows/vendors.ts";
import type { Threat } from "./threat.ts";

/** The table of docs/security.md, in parts. */
export const threatTable: readonly { readonly title: string; readonly rows: readonly Threat[] }[] = [
  { title: "Authorization: browser, app, vendor", rows: oauthThreats },
  { title: "Grants: refresh tokens, and what is stored", rows: grantThreats },
  { title: "Callers: who, for what, how much", rows: callerThreats },
  { title: "Vendors: what goes to them, what comes back", rows: vendorThreats },
  { title: "The deployment, its permissions, and the laptop", rows: operationThreats },
];

export const threats: readonly Threat[] = threatTable.flatMap(({ rows }) => rows);
