import type { users } from "dropbox";
import * as v from "valibot";
import type { Grants } from "../authorization/grants.ts";
import { jsonAnswer } from "../http/answer.ts";
import { bearerOf } from "../http/request.ts";
import { accountIdOf, memberIdOf, TEAM } from "./account-ids.ts";
import { type ApiCalls, type Caller, rpc } from "./call.ts";
import { ALLOCATED_BYTES } from "./dropbox-account.ts";

/** https://www.dropbox.com/developers/documentation/http/documentation#users, #check, #auth */
export function usersCalls(grants: Grants): ApiCalls {
  return {
    "users/get_current_account": rpc("account_info.read", v.null(), currentAccount),
    "users/get_space_usage": rpc("account_info.read", v.null(), spaceUsage),
    "check/user": rpc(
      "account_info.read",
      v.strictObject({ query: v.optional(v.string(), "") }),
      (_, input) => ({
        result: input.query,
      }),
    ),
    "auth/token/revoke": {
      style: "rpc",
      // Ends the access token, its refresh token and all access tokens of that refresh token; other grants
      // stay valid.
      run({ request }) {
        const grant = grants.grantOf(bearerOf(request) ?? "");
        if (grant !== undefined) grants.end(grant);
        return jsonAnswer(200, null);
      },
    },
  };
}

export function nameOfPerson(name: string): users.Name {
  const [given = "", ...rest] = name.split(" ");
  const surname = rest.join(" ");
  return {
    given_name: given,
    surname,
    familiar_name: given,
    display_name: name,
    abbreviated_name: `${given.slice(0, 1)}${surname.slice(0, 1)}`,
  };
}

function currentAccount({ account }: Caller): users.FullAccount {
  return {
    account_id: accountIdOf(account.login),
    name: nameOfPerson(account.name),
    email: account.email,
    email_verified: true,
    disabled: false,
    country: "GB",
    locale: "en",
    referral_link: "https://www.dropbox.com/referrals/stand-in",
    is_paired: false,
    account_type: { ".tag": account.homeId === undefined ? "basic" : "business" },
    ...(account.homeId === undefined ? {} : { team: TEAM, team_member_id: memberIdOf(account.login) }),
    root_info: account.rootInfo,
  };
}

/** What the other members of the team use. */
const USED_BY_OTHERS = 3 * 1024 ** 3;

function spaceUsage({ account }: Caller): users.SpaceUsage {
  const used = account.tree.usedBytes();
  if (account.homeId !== undefined) {
    return {
      used,
      allocation: {
        ".tag": "team",
        used: used + USED_BY_OTHERS,
        allocated: 3 * 1024 ** 4,
        user_within_team_space_allocated: 0,
        user_within_team_space_limit_type: { ".tag": "off" },
        user_within_team_space_used_cached: used,
      },
    };
  }
  return {
    used,
    allocation: { ".tag": "individual", allocated: ALLOCATED_BYTES },
  };
}
