import type { common } from "dropbox";
import type { Answer } from "../http/answer.ts";
import { jsonAnswer } from "../http/answer.ts";
import type { VendorRequest } from "../http/request.ts";
import type { DropboxAccount } from "./dropbox-account.ts";
import { BadInput } from "./errors.ts";

// https://www.dropbox.com/developers/reference/path-root-header-modes (2026-11-27)

/** 422: `PathRootError` in https://github.com/dropbox/dropbox-api-spec/blob/main/common.stone */
export class WrongRoot extends Error {
  readonly error: common.PathRootError;
  constructor(error: common.PathRootError) {
    super(error[".tag"]);
    this.error = error;
  }
}

export function wrongRootAnswer({ error }: WrongRoot): Answer {
  return jsonAnswer(422, { error_summary: `${error[".tag"]}/...`, error });
}

/**
 * The path of the folder that the paths of a request begin at; empty: the root of the account's tree, which is the team space for
 * a member of a team that has one.
 * @throws {WrongRoot | BadInput}
 */
export function rootOf(request: VendorRequest, account: DropboxAccount): string {
  const root = readRoot(request.header("dropbox-api-path-root"));
  const { rootNamespace, homeNamespace, homePath } = account;
  if (root[".tag"] === "home") return homePath;
  if (root[".tag"] === "root") {
    if (root.root === rootNamespace) return "";
    throw new WrongRoot({ ".tag": "invalid_root", invalid_root: account.rootInfo });
  }
  if (root.namespace_id === rootNamespace) return "";
  if (root.namespace_id === homeNamespace) return homePath;
  throw new WrongRoot({ ".tag": "no_permission" });
}

type Root =
  | { readonly ".tag": "home" }
  | { readonly ".tag": "root"; readonly root: string }
  | { readonly ".tag": "namespace_id"; readonly namespace_id: string };

function readRoot(header: string | undefined): Root {
  if (header === undefined) return { ".tag": "home" };
  let root: unknown;
  try {
    root = JSON.parse(header);
  } catch {
    throw new BadInput("Dropbox-API-Path-Root: could not decode input as JSON");
  }
  const { ".tag": tag, ...value } = (root ?? {}) as Record<string, unknown>;
  if (tag === "home") return { ".tag": "home" };
  if (tag === "root" && typeof value.root === "string") return { ".tag": "root", root: value.root };
  if (tag === "namespace_id" && typeof value.namespace_id === "string")
    return { ".tag": "namespace_id", namespace_id: value.namespace_id };
  // https://github.com/Jesus/dropbox_api/pull/79
  throw new BadInput(`Dropbox-API-Path-Root: unknown tag '${String(tag)}'`);
}

const PATHS_IN = new Set(["path", "from_path", "to_path"]);
/** Calls that take the root folder as the empty path. */
const TAKES_ROOT = /^files\/(?:list_folder|list_folder\/get_latest_cursor|search_v2)$/;

/** A call's argument with its paths as those of the whole tree. */
export function absolute(name: string, argument: unknown, base: string): unknown {
  if (base === "" || typeof argument !== "object" || argument === null) return argument;
  return Object.fromEntries(
    Object.entries(argument).map(([key, value]) => {
      if (typeof value === "object") return [key, absolute(name, value, base)];
      if (!PATHS_IN.has(key) || typeof value !== "string") return [key, value];
      const isRooted = (value.startsWith("/") && value !== "/") || (value === "" && TAKES_ROOT.test(name));
      return [key, isRooted ? base + value : value];
    }),
  );
}

/** An answer with its paths from the request's root; what lies outside of it is shown as not mounted. */
export function relative(answer: Answer, base: string): Answer {
  if (base === "") return answer;
  const result = answer.headers?.["Dropbox-API-Result"];
  return {
    ...answer,
    ...(typeof answer.body === "string" && answer.headers?.["Content-Type"] === "application/json"
      ? { body: JSON.stringify(withRelativePaths(JSON.parse(answer.body), base)) }
      : {}),
    ...(result === undefined
      ? {}
      : {
          headers: {
            ...answer.headers,
            "Dropbox-API-Result": escaped(JSON.stringify(withRelativePaths(JSON.parse(result), base))),
          },
        }),
  };
}

function withRelativePaths(value: unknown, base: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    // A recursive listing begins with the folder itself, but not if it is the root.
    const others = value.filter(
      (each) => (each as { path_lower?: string }).path_lower !== base.toLowerCase(),
    );
    return others.map((each) => withRelativePaths(each, base));
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => {
      if (key !== "path_lower" && key !== "path_display") return [[key, withRelativePaths(each, base)]];
      const isBelow = String(each).toLowerCase().startsWith(`${base.toLowerCase()}/`);
      return isBelow ? [[key, String(each).slice(base.length)]] : [];
    }),
  );
}

/** "JSON encoding" of a header: every character from 0x7f on is escaped. */
function escaped(json: string): string {
  return json.replace(
    /[\u007f-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
