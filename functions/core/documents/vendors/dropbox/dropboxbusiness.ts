import type { team } from "dropbox";
import { InvalidRequest } from "../../../errors.ts";
import { present } from "../../../present.ts";
import type { Member, PathVendor } from "../../vendor.ts";
import type { VendorCall } from "../../vendor-call.ts";
import { userFiles } from "./dropbox.ts";
import { type ActingHeaders, acting, pathRootHeader } from "./path-root.ts";
import { rpc } from "./rpc.ts";

/*
 * A team's token acts for a member that the header Dropbox-API-Select-User names by its id:
 * https://www.dropbox.com/developers/documentation/http/teams#teams-member-file-access (2026-11-27)
 */

const MEMBER = "team.member.id";
/** Most pages of members, of 1000 each. */
const MAX_PAGES = 20;

export const dropboxbusiness: PathVendor = {
  ...acting(
    { ...userFiles, connector: "dropboxbusiness", honours: ["elements-as-team-member"] },
    actingHeaders,
  ),
  members,
};

/** For whom a call acts, and from which root: the header's member, the configuration's, or the admin who has connected the team. */
async function actingHeaders(call: VendorCall): Promise<ActingHeaders> {
  const { member: named, configuration } = call.instance;
  const told = await call.instance.told();
  const wanted = named ?? (configuration[MEMBER]?.trim() || told.member);
  const field = named === undefined ? `configuration.${MEMBER}` : "Elements-As-Team-Member";
  if (wanted === undefined) throw new InvalidRequest(`${field} is missing: it names the member`, field);
  const profile = await memberOf(call, wanted, field);
  // Members of a team with a team space have one root; without one, each has the own folder as root.
  const roots =
    profile === undefined
      ? told
      : { rootNamespace: profile.root_folder_id, homeNamespace: profile.member_folder_id };
  const root = await pathRootHeader({ ...call, instance: { ...call.instance, told: async () => roots } });
  return [["Dropbox-API-Select-User", profile?.team_member_id ?? wanted], ...root];
}

/** @returns undefined: `wanted` is an id, which needs no call */
async function memberOf(
  call: VendorCall,
  wanted: string,
  field: string,
): Promise<team.TeamMemberProfile | undefined> {
  // https://github.com/dropbox/dropbox-api-spec/blob/main/team.stone has such ids in its examples.
  if (/^dbmid:[\w-]{1,100}$/.test(wanted)) return undefined;
  if (!/^[^\s@]{1,100}@[^\s@]{1,150}$/.test(wanted))
    throw new InvalidRequest(`${field} must be a member's id (dbmid:…) or e-mail address`, field);
  const { members_info: infos } = await rpc<team.MembersGetInfoV2Result>(call, "team/members/get_info_v2", {
    members: [{ ".tag": "email", email: wanted }],
  });
  const [info] = infos;
  if (info?.[".tag"] !== "member_info")
    throw new InvalidRequest(`${field}: the team has no member with this e-mail address`, field);
  return info.profile;
}

async function members(call: VendorCall): Promise<readonly Member[]> {
  const found: Member[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const result: team.MembersListV2Result =
      cursor === undefined
        ? await rpc(call, "team/members/list_v2", { limit: 1000 })
        : await rpc(call, "team/members/list/continue_v2", { cursor });
    for (const { profile, roles } of result.members) {
      found.push({
        id: profile.team_member_id,
        email: profile.email,
        name: profile.name.display_name,
        status: profile.status[".tag"],
        ...present({ role: roles?.[0]?.name }),
        raw: { profile, roles },
      });
    }
    if (!result.has_more) return found;
    cursor = result.cursor;
  }
  throw new InvalidRequest(
    `the team has more than ${MAX_PAGES * 1000} members, which is more than one list holds`,
  );
}
