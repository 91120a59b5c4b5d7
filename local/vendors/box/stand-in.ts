import { open } from "../kit/calls.ts";
import { ticketAnswer } from "../kit/download-links.ts";
import { sharedPages } from "../kit/shared-pages.ts";
import { startVendor } from "../kit/start-vendor.ts";
import type { StandIn, StandInOptions } from "../stand-in.ts";
import { boxOAuth } from "./authorization.ts";
import { notFound, refuse, statusAnswer } from "./errors.ts";
import { fileCalls } from "./file-calls.ts";
import { folderCalls, itemCalls } from "./item-calls.ts";
import { BOX_ITEM, type BoxItem, boxTree } from "./items.ts";
import { searchCalls } from "./search-calls.ts";

/**
 * Starts a server that stands in for Box: OAuth 2 with refresh tokens for one use, and the files, folders,
 * web links, search and users calls of API version 2.0 (https://developer.box.com/reference, 2026-11-27).
 * @throws {Error} the port is in use, or the state of an earlier run cannot be read
 */
export function startBox(options: StandInOptions): Promise<StandIn> {
  return startVendor<BoxItem>(
    {
      connector: "box",
      hosts: ["account.box.com", "api.box.com", "upload.box.com", "app.box.com", "dl.boxcloud.com"],
      apiHosts: ["api.box.com"],
      oauth: boxOAuth,
      tree: boxTree,
      detail: BOX_ITEM,
      calls: (kit) => [...fileCalls(kit), ...itemCalls(kit), ...folderCalls(kit), ...searchCalls(kit)],
      open: (kit) => [
        open("GET dl.boxcloud.com /d/1/{ticket}/download", "api", (request, { ticket = "" }) => {
          return ticketAnswer(kit, request, ticket) ?? notFound().answer;
        }),
        ...sharedPages(kit, {
          look: boxOAuth.look,
          page: "GET app.box.com /s/{key}",
          download: "GET app.box.com /shared/static/{key}",
          isShared: ({ sharedLink }, key) => sharedLink?.key === key && sharedLink.access === "open",
        }),
      ],
      refuse,
      statusAnswer,
    },
    options,
  );
}
