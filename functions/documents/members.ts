import { supported } from "../core/documents/hub.ts";
import { answerPages, pageOfAll } from "./answer-list.ts";
import type { HubHandle } from "./contracts.ts";

/** The members of a team, for whom calls act with the header `Elements-As-Team-Member`. */
export const listMembers: HubHandle<"members"> = async (_request, { caller: hub, query }) =>
  await answerPages(
    query,
    hub,
    { call: "members" },
    async (options) => pageOfAll(await supported(hub, "members", "GET /members")(hub.call), options),
    ({ raw, ...member }) => ({ ...member, ...(query.raw ? { raw } : {}) }),
  );
