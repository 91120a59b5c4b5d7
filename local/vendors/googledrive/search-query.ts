import { wholeText } from "../content.ts";
import type { DriveAccount, DriveNode } from "./drive-account.ts";
import { invalidValue } from "./errors.ts";

/** A parsed `q`, which says whether an item matches. */
export interface SearchQuery {
  matches(account: DriveAccount, node: DriveNode): boolean;
  /** Folders named in `'id' in parents`, each of which must exist. */
  readonly parents: readonly string[];
  readonly usesFullText: boolean;
}

type Test = (account: DriveAccount, node: DriveNode) => boolean;

interface Token {
  readonly kind: "string" | "word" | "symbol";
  readonly text: string;
}

const MAX_TEXT_BYTES = 1_000_000;

/**
 * Parses the `q` of files.list.
 * https://developers.google.com/workspace/drive/api/guides/ref-search-terms
 * @throws {DriveError} `Invalid Value`
 */
export function parseSearchQuery(text: string): SearchQuery {
  const parser = new Parser(tokens(text));
  const matches = parser.whole();
  return { matches, parents: parser.parents, usesFullText: parser.usesFullText };
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const space = /^\s+/.exec(rest);
    const quoted = /^'((?:[^'\\]|\\.)*)'/s.exec(rest);
    const word = /^[A-Za-z][\w]*/.exec(rest);
    const symbol = /^(<=|>=|!=|[=<>(){}])/.exec(rest);
    const match = space ?? quoted ?? word ?? symbol;
    if (match === null || match === undefined) throw invalidValue("q");
    if (quoted !== null) found.push({ kind: "string", text: (quoted[1] ?? "").replace(/\\(.)/gs, "$1") });
    else if (word !== null && space === null) found.push({ kind: "word", text: word[0] });
    else if (symbol !== null && space === null) found.push({ kind: "symbol", text: symbol[0] });
    at += match[0].length;
  }
  return found;
}

class Parser {
  readonly parents: string[] = [];
  usesFullText = false;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(list: readonly Token[]) {
    this.#tokens = list;
  }

  whole(): Test {
    const test = this.#or();
    if (this.#at !== this.#tokens.length) throw invalidValue("q");
    return test;
  }

  #or(): Test {
    let left = this.#and();
    while (this.#takeWord("or")) left = either(left, this.#and());
    return left;
  }

  #and(): Test {
    let left = this.#not();
    while (this.#takeWord("and")) left = both(left, this.#not());
    return left;
  }

  #not(): Test {
    this.#depth += 1;
    if (this.#depth > 200) throw invalidValue("q");
    if (!this.#takeWord("not")) return this.#primary();
    const inner = this.#not();
    return (account, node) => !inner(account, node);
  }

  #primary(): Test {
    if (this.#takeSymbol("(")) {
      const inner = this.#or();
      if (!this.#takeSymbol(")")) throw invalidValue("q");
      return inner;
    }
    const first = this.#next();
    if (first.kind === "string") {
      if (!this.#takeWord("in")) throw invalidValue("q");
      return this.#membership(first.text, this.#next().text);
    }
    if (first.kind !== "word") throw invalidValue("q");
    if (this.#takeWord("has")) return this.#property(first.text);
    const operator = this.#next().text;
    return this.#comparison(first.text, operator, this.#next());
  }

  #membership(value: string, collection: string): Test {
    if (collection === "parents") {
      this.parents.push(value);
      return (account, node) => node.parentId === (value === "root" ? account.tree.root.id : value);
    }
    const role = { owners: ["owner"], writers: ["owner", "writer"], readers: ["owner", "writer", "reader"] }[
      collection
    ];
    if (role === undefined) throw invalidValue("q");
    return (_account, node) =>
      [...node.detail.permissions.values()].some(
        (permission) => permission.emailAddress === value && role.includes(permission.role ?? ""),
      );
  }

  /** `properties has { key='a' and value='b' }` */
  #property(collection: string): Test {
    if (collection !== "properties" && collection !== "appProperties") throw invalidValue("q");
    const parts: Record<string, string> = {};
    if (!this.#takeSymbol("{")) throw invalidValue("q");
    do {
      const name = this.#next().text;
      if (!this.#takeSymbol("=") || (name !== "key" && name !== "value")) throw invalidValue("q");
      parts[name] = this.#string(this.#next());
    } while (this.#takeWord("and"));
    if (!this.#takeSymbol("}") || parts.key === undefined || parts.value === undefined)
      throw invalidValue("q");
    const { key, value } = parts;
    return (_account, node) => node.detail[collection][key] === value;
  }

  #comparison(field: string, operator: string, value: Token): Test {
    if (field === "name") return this.#name(operator, this.#string(value));
    if (field === "mimeType") return mimeType(operator, this.#string(value));
    if (field === "fullText") {
      if (operator !== "contains") throw invalidValue("q");
      this.usesFullText = true;
      return fullText(this.#string(value));
    }
    if (field === "modifiedTime" || field === "createdTime")
      return timeTest(field, operator, this.#string(value));
    if (field === "trashed") return truth(operator, value, (account, node) => account.isTrashed(node));
    if (field === "starred") return truth(operator, value, (_account, node) => node.detail.starred);
    if (field === "sharedWithMe")
      return truth(operator, value, (_account, node) => node.detail.place?.kind === "sharedWithMe");
    throw invalidValue("q");
  }

  /**
   * `contains` matches only beginnings of words; `=` ignores upper and lower case (seen in rclone's drive
   * backend).
   */
  #name(operator: string, value: string): Test {
    const wanted = value.toLowerCase();
    if (operator === "=") return (_account, node) => node.name.toLowerCase() === wanted;
    if (operator === "!=") return (_account, node) => node.name.toLowerCase() !== wanted;
    if (operator !== "contains") throw invalidValue("q");
    const beginnings = words(wanted);
    return (_account, node) => {
      const own = words(node.name.toLowerCase());
      return (
        node.name.toLowerCase().startsWith(wanted) ||
        (beginnings.length > 0 &&
          beginnings.every((beginning) => own.some((word) => word.startsWith(beginning))))
      );
    };
  }

  #string(token: Token): string {
    if (token.kind !== "string") throw invalidValue("q");
    return token.text;
  }

  #next(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw invalidValue("q");
    this.#at += 1;
    return token;
  }

  #takeWord(text: string): boolean {
    return this.#take("word", text);
  }

  #takeSymbol(text: string): boolean {
    return this.#take("symbol", text);
  }

  #take(kind: Token["kind"], text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== kind || token.text.toLowerCase() !== text) return false;
    this.#at += 1;
    return true;
  }
}

const both =
  (left: Test, right: Test): Test =>
  (account, node) =>
    left(account, node) && right(account, node);
const either =
  (left: Test, right: Test): Test =>
  (account, node) =>
    left(account, node) || right(account, node);

function mimeType(operator: string, value: string): Test {
  if (operator === "=") return (_account, node) => node.detail.mimeType === value;
  if (operator === "!=") return (_account, node) => node.detail.mimeType !== value;
  if (operator === "contains") return (_account, node) => node.detail.mimeType.startsWith(value);
  throw invalidValue("q");
}

function timeTest(field: "modifiedTime" | "createdTime", operator: string, value: string): Test {
  const wanted = Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(value) ? value : `${value}Z`);
  const compare = TIME_OPERATORS[operator];
  if (Number.isNaN(wanted) || compare === undefined) throw invalidValue("q");
  return (_account, node) => compare(field === "modifiedTime" ? node.modifiedAt : node.createdAt, wanted);
}

const TIME_OPERATORS: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  "<": (left, right) => left < right,
  "<=": (left, right) => left <= right,
  "=": (left, right) => left === right,
  "!=": (left, right) => left !== right,
  ">": (left, right) => left > right,
  ">=": (left, right) => left >= right,
};

function truth(operator: string, value: Token, read: Test): Test {
  const isBoolean = value.kind === "word" && (value.text === "true" || value.text === "false");
  if (!isBoolean || (operator !== "=" && operator !== "!=")) throw invalidValue("q");
  const wanted = (value.text === "true") === (operator === "=");
  return (account, node) => read(account, node) === wanted;
}

/** Matches whole words of name, description and text; a phrase in double quotes matches as a whole. */
function fullText(value: string): Test {
  const phrases = [...value.toLowerCase().matchAll(/"([^"]+)"/g)].map(([, phrase = ""]) =>
    words(phrase).join(" "),
  );
  const single = words(value.toLowerCase().replace(/"[^"]+"/g, " "));
  return (_account, node) => {
    const newest = node.revisions.at(-1);
    const isText = newest !== undefined && /^text\/|json|xml|google-apps/.test(node.detail.mimeType);
    const body = isText ? (wholeText(newest.content, MAX_TEXT_BYTES) ?? "") : "";
    const all = words(`${node.name} ${node.detail.description ?? ""} ${body}`.toLowerCase());
    const joined = ` ${all.join(" ")} `;
    return (
      phrases.length + single.length > 0 &&
      single.every((word) => all.includes(word)) &&
      phrases.every((phrase) => joined.includes(` ${phrase} `))
    );
  };
}

function words(text: string): string[] {
  return text.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
}
