import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { contentAnswer, textAnswer } from "../http/answer.ts";
import type { Endpoint } from "../http/stand-in-server.ts";
import { type ApiCall, call, open } from "../kit/calls.ts";
import type { Kit } from "../kit/start-vendor.ts";
import { mediaTypeOf } from "../media-type.ts";
import { notFound, refused } from "./errors.ts";
import { flags, PAGING, page, texts } from "./item-calls.ts";
import {
  type Account,
  feedAnswer,
  find,
  itemAnswer,
  newest,
  type Own,
  type Share,
  SUBDOMAIN,
} from "./items.ts";

// https://api.sharefile.com/html/docs/Shares.html (2026-11-27)

export const WEB_HOST = `${SUBDOMAIN}.sharefile.com`;
const DAY_MS = 86_400_000;

const NEW_SHARE = v.strictObject({
  ShareType: v.literal("Send"),
  Items: v.pipe(v.array(v.strictObject({ Id: v.string() })), v.minLength(1)),
  Recipients: v.optional(v.array(v.unknown())),
  MaxDownloads: v.optional(v.number()),
  ...texts("Title", "ExpirationDate"),
  ...v.entriesFromList(["RequireLogin", "RequireUserInfo", "UsesStreamIDs"], v.optional(v.boolean())),
});
const EXPAND = { $expand: v.optional(v.literal("Items")) };

export const SHARE = v.strictObject({
  id: v.string(),
  createdAt: v.number(),
  items: v.array(v.string()),
  settings: v.record(v.string(), v.unknown()),
});

/** "if not specified the default is 30 days"; "9999-12-31" disables the expiration. */
function endOf({ settings, createdAt }: Share): string {
  return typeof settings.ExpirationDate === "string"
    ? settings.ExpirationDate
    : new Date(createdAt + 30 * DAY_MS).toISOString();
}

export function shareCalls(kit: Kit<Own>): ApiCall<Own>[] {
  const sharesOf = ({ root }: Account): Share[] => root.detail.own.shares;
  const shareAnswer = (account: Account, share: Share, expand?: "Items"): object => ({
    "odata.type": "ShareFile.Api.Models.Share",
    ...share.settings,
    Id: share.id,
    AliasID: share.id,
    CreationDate: new Date(share.createdAt).toISOString(),
    ExpirationDate: endOf(share),
    Uri: `${kit.origin}/d-${share.id}`,
    ...(expand === undefined
      ? {}
      : {
          Items: share.items.flatMap((id) => {
            const node = account.tree.get(id);
            return node === undefined ? [] : [itemAnswer(account, newest(node))];
          }),
        }),
  });
  return [
    call(
      "GET /sf/v3/Shares",
      { query: v.strictObject({ ...PAGING, ...flags("includeExpired"), ...EXPAND }) },
      ({ account }, { query }) => {
        const all = sharesOf(account).filter(
          (share) => query.includeExpired !== "false" || Date.parse(endOf(share)) > kit.now(),
        );
        const shown = page(all, query).map((share) => shareAnswer(account, share, query.$expand));
        return feedAnswer("Shares", shown);
      },
    ),
    call(
      "POST /sf/v3/Shares",
      { query: v.strictObject(flags("notify", "direct")), body: NEW_SHARE },
      ({ account }, { body }) => {
        const usesStreamIDs = body.UsesStreamIDs ?? false;
        const items = body.Items.map(({ Id }) => {
          const node = usesStreamIDs ? account.tree.get(Id) : find(account, Id).node;
          if (node === undefined || (usesStreamIDs && node.directory))
            throw refused(404, "The item was not found.");
          return node.id;
        });
        const { Items: _, ...settings } = body;
        const id = `s${randomBytes(8).toString("hex")}`;
        const share: Share = { id, createdAt: kit.now(), items, settings };
        sharesOf(account).push(share);
        return shareAnswer(account, share);
      },
    ),
    call("DELETE /sf/v3/Shares({id})", {}, ({ account, parameters }) => {
      const shares = sharesOf(account);
      const index = shares.findIndex(({ id }) => id === parameters.id);
      if (index < 0) throw notFound();
      shares.splice(index, 1);
      return { status: 204 };
    }),
  ];
}

/** The page of a share: the bytes of its file, without a page around them. */
export function sharePage(kit: Kit<Own>): Endpoint {
  return open(`GET ${WEB_HOST} /d-{id}`, "page", (request, { id }) => {
    for (const account of kit.accounts.all()) {
      const share = account.root.detail.own.shares.find((each) => each.id === id);
      if (share === undefined || Date.parse(endOf(share)) <= kit.now()) continue;
      const node = account.tree.get(share.items[0] ?? "");
      const content = node?.revisions.at(-1)?.content;
      if (node === undefined) break;
      if (content === undefined) return textAnswer(200, `The folder ${node.name}\n`);
      return contentAnswer(content, request.header("range"), {
        "Content-Type": mediaTypeOf(node.name),
        "Content-Disposition": "attachment",
      });
    }
    return textAnswer(404, "This link is not available.\n");
  });
}
