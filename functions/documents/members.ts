import { supported } from "../core/documents/hub.ts";
import { answerPages } from "./answer-list.ts";
import type { HubHandle } from "./contracts.ts";

/** The members of a team, for whom calls act with the header `Elements-As-Team-Member`. */
export const listMembers: HubHandle<"members"> = async (_request, { caller: hub, query }) =>
  await answerPages(
    query,
    hub,
    { call: "members" },
    async ({ from, page, pageSize }) => {
      const all = await supported(hub, "members", "GET /members")(hub.call);
      const start = from?.skip ?? (page - 1) * pageSize;
      const end = start + pageSize;
      return {
        items: all.slice(start, end),
        ...(end < all.length ? { next: { skip: end, part: pageSize } } : {}),
        total: all.length,
      };
    },
    ({ raw, ...member }) => ({ ...member, ...(query.raw ? { raw } : {}) }),
  );
