import { html } from "hono/html";
import { contentAnswer, htmlAnswer, textAnswer } from "../http/answer.ts";
import type { Endpoint } from "../http/stand-in-server.ts";
import { open } from "../kit/calls.ts";
import type { Kit } from "../kit/start-vendor.ts";
import { brand, page } from "../page.ts";
import { boxOAuth } from "./authorization.ts";
import type { BoxItem } from "./items.ts";

/** The pages and downloads of shared links, for everybody who has the link. */
export function sharedPages(kit: Kit<BoxItem>): Endpoint[] {
  const find = (key: string) => {
    for (const account of kit.accounts.all()) {
      for (const node of account.tree.all()) {
        const link = node.detail.own.sharedLink;
        if (link !== undefined && link.key === key && link.access === "open") return { account, node, link };
      }
    }
    return undefined;
  };
  const gone = textAnswer(
    404,
    "This shared file or folder link has been removed or is unavailable to you.\n",
  );
  return [
    open("GET app.box.com /s/{key}", "page", (_request, { key = "" }) => {
      const found = find(key);
      if (found === undefined) return gone;
      const { account, node } = found;
      const content = html`<div class="card">${brand(boxOAuth.look)}<h1>${node.name}</h1><p>Shared by ${account.name}.</p></div>`;
      return htmlAnswer(200, page(boxOAuth.look, node.name, content));
    }),
    open("GET app.box.com /shared/static/{name}", "page", (request, { name = "" }) => {
      const found = find(name.split(".")[0] ?? "");
      const newest = found?.node.revisions.at(-1);
      if (newest === undefined || found?.link.canDownload !== true) return gone;
      return contentAnswer(newest.content, request.header("range"), { "Content-Type": newest.mediaType });
    }),
  ];
}
