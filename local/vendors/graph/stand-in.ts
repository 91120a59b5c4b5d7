import type { User } from "@microsoft/microsoft-graph-types";
import { html } from "hono/html";
import * as v from "valibot";
import { htmlAnswer, textAnswer } from "../http/answer.ts";
import { type ApiCall, call, open } from "../kit/calls.ts";
import { startVendor } from "../kit/start-vendor.ts";
import { brand, page } from "../page.ts";
import type { StandIn, StandInOptions } from "../stand-in.ts";
import { graphOAuth, READ } from "./authorization.ts";
import { notFound, refuse, statusAnswer } from "./errors.ts";
import { itemCalls, presigned } from "./item-calls.ts";
import {
  contextOf,
  driveIdOf,
  driveOf,
  GRAPH_ITEM,
  type GraphItem,
  graphTree,
  selected,
  userOf,
} from "./items.ts";

const QUERY = v.strictObject({ $select: v.optional(v.string()) });

function accountCalls(): ApiCall<GraphItem>[] {
  return [
    // https://learn.microsoft.com/en-us/graph/api/user-get: a personal account has no `mail`.
    call<GraphItem, typeof QUERY>(
      "GET /v1.0/me",
      { scopes: ["User.Read"], query: QUERY },
      ({ account }, { query }) => {
        const [givenName = "", ...surname] = account.name.split(" ");
        const user: User = {
          ...userOf(account),
          givenName,
          surname: surname.join(" "),
          mail: null,
          userPrincipalName: account.email,
          businessPhones: [],
          preferredLanguage: "en-US",
        };
        return { ...contextOf("users/$entity"), ...selected(user, query.$select) };
      },
    ),
    ...["/v1.0/me/drive", "/v1.0/drives/{drive}"].map((path) =>
      call<GraphItem, typeof QUERY>(
        `GET ${path}`,
        { scopes: READ, query: QUERY },
        ({ account, parameters }, { query }) => {
          const { drive } = parameters;
          if (drive !== undefined && drive.toLowerCase() !== driveIdOf(account)) throw notFound();
          return { ...contextOf("drives/$entity"), ...selected(driveOf(account), query.$select) };
        },
      ),
    ),
  ];
}

/**
 * Starts a server that stands in for Microsoft: its identity platform, and the drives of Microsoft Graph v1.0
 * (https://learn.microsoft.com/en-us/graph/api/resources/onedrive, 2026-11-27).
 * @throws {Error} the port is in use, or the state of an earlier run cannot be read
 */
export function startGraph(options: StandInOptions): Promise<StandIn> {
  return startVendor<GraphItem>(
    {
      connector: "onedrivev2",
      hosts: [
        "login.microsoftonline.com",
        "graph.microsoft.com",
        "public.dm.files.1drv.com",
        "api.onedrive.com",
        "1drv.ms",
      ],
      apiHosts: ["graph.microsoft.com"],
      oauth: graphOAuth,
      tree: graphTree,
      detail: GRAPH_ITEM,
      calls: (kit) => [...accountCalls(), ...itemCalls(kit)],
      open: (kit) => [
        ...presigned(kit),
        open("GET 1drv.ms /u/{key}", "page", (_request, { key }) => {
          for (const account of kit.accounts.all()) {
            for (const node of account.tree.all()) {
              if (!node.detail.own.links.some((link) => link.key === key)) continue;
              const shared = html`<div class="card">${brand(graphOAuth.look)}<h1>${node.name}</h1><p>Shared by ${account.name}.</p></div>`;
              return htmlAnswer(200, page(graphOAuth.look, node.name, shared));
            }
          }
          return textAnswer(404, "This item might not exist or is no longer available.\n");
        }),
      ],
      refuse,
      statusAnswer,
    },
    options,
  );
}
