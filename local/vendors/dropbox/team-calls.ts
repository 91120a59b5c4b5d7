import type { team } from "dropbox";
import * as v from "valibot";
import type { PageTokens } from "../page-token.ts";
import { accountIdOf, memberIdOf } from "./account-ids.ts";
import { type ApiCall, type ApiCalls, rpc } from "./call.ts";
import type { DropboxAccount } from "./dropbox-account.ts";
import type { DropboxAccounts } from "./dropbox-accounts.ts";
import { EndpointError } from "./errors.ts";
import { timestamp } from "./metadata.ts";
import { nameOfPerson } from "./users-calls.ts";

const ofTeam = (call: ApiCall): ApiCall => ({ ...call, auth: "team" });

/**
 * The team of the stand-in: all of its accounts. Whoever connects a team's app is its admin.
 * https://www.dropbox.com/developers/documentation/http/teams
 */
export function teamCalls(accounts: DropboxAccounts, tokens: PageTokens): ApiCalls {
  const page = (from: number, limit: number): team.MembersListV2Result => {
    const all = [...accounts.all()];
    const hasMore = all.length > from + limit;
    return {
      members: all.slice(from, from + limit).map(memberInfo),
      cursor: tokens.seal({ members: from + limit, limit }),
      has_more: hasMore,
    };
  };
  return {
    "team/token/get_authenticated_admin": ofTeam(
      rpc("team_info.read", v.null(), ({ account }) => ({ admin_profile: profileOf(account) })),
    ),
    "team/members/list_v2": ofTeam(
      rpc(
        "members.read",
        v.strictObject({
          limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)), 1000),
          include_removed: v.optional(v.boolean()),
        }),
        (_, { limit }) => page(0, limit),
      ),
    ),
    "team/members/list/continue_v2": ofTeam(
      rpc("members.read", v.strictObject({ cursor: v.string() }), (_, input) => {
        const cursor = tokens.open<{ members?: number; limit: number }>(input.cursor);
        if (cursor?.members === undefined) throw new EndpointError({ ".tag": "invalid_cursor" });
        return page(cursor.members, cursor.limit);
      }),
    ),
    "team/members/get_info_v2": ofTeam(
      rpc("members.read", v.strictObject({ members: v.array(SELECTOR) }), (_, { members }) => ({
        members_info: members.map((selector) => infoOf([...accounts.all()], selector)),
      })),
    ),
  };
}

const SELECTOR = v.variant(".tag", [
  v.strictObject({ ".tag": v.literal("team_member_id"), team_member_id: v.string() }),
  v.strictObject({ ".tag": v.literal("email"), email: v.string() }),
]);

function infoOf(
  accounts: readonly DropboxAccount[],
  selector: v.InferOutput<typeof SELECTOR>,
): team.MembersGetInfoItemV2 {
  const wanted = selector[".tag"] === "email" ? selector.email : selector.team_member_id;
  const found = accounts.find(({ login, email }) => memberIdOf(login) === wanted || email === wanted);
  if (found === undefined) return { ".tag": "id_not_found", id_not_found: wanted };
  return { ".tag": "member_info", ...memberInfo(found) };
}

function memberInfo(account: DropboxAccount): team.TeamMemberInfoV2 {
  return { profile: profileOf(account), roles: [] };
}

function profileOf(account: DropboxAccount): team.TeamMemberProfile {
  return {
    team_member_id: memberIdOf(account.login),
    account_id: accountIdOf(account.login),
    email: account.email,
    email_verified: true,
    status: { ".tag": "active" },
    name: nameOfPerson(account.name),
    membership_type: { ".tag": "full" },
    joined_on: timestamp(account.tree.root.createdAt),
    groups: [],
    member_folder_id: account.homeNamespace,
    root_folder_id: account.rootNamespace,
  };
}
