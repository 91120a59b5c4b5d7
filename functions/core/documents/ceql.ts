import { InvalidRequest } from "../errors.ts";

/** One expression of `where=`. Strings and numbers stay apart; `list` is for IN. */
export type Where =
  | { readonly kind: "and" | "or"; readonly terms: readonly Where[] }
  | { readonly kind: "compare"; readonly field: string; readonly operator: Comparison; readonly value: Value }
  | { readonly kind: "in"; readonly field: string; readonly values: readonly Value[] }
  | { readonly kind: "null"; readonly field: string; readonly negated: boolean };

export type Comparison = "=" | "!=" | "<" | ">" | "<=" | ">=" | "LIKE";
export type Value = string | number | boolean;

/** Bounds: an expression is a query parameter, not a program. */
const MAX_LENGTH = 2000;
const MAX_DEPTH = 20;

type Token =
  | { readonly type: "string"; readonly text: string; readonly at: number }
  | { readonly type: "number"; readonly text: string; readonly at: number }
  | { readonly type: "word"; readonly text: string; readonly at: number }
  | { readonly type: "symbol"; readonly text: string; readonly at: number }
  | { readonly type: "end"; readonly text: ""; readonly at: number };

const PATTERNS: readonly (readonly [Token["type"] | "space", RegExp])[] = [
  ["space", /\s+/y],
  ["string", /'(?:[^']|'')*'/y],
  ["number", /[+-]?\d+(?:\.\d+)?(?![\w.])/y],
  ["word", /[A-Za-z_][\w.]*/y],
  ["symbol", /<=|>=|!=|<>|[=<>(),]/y],
];

/**
 * Parses CEQL, the little language of `where=`: `field op value` joined by AND and OR (AND binds closer), parentheses,
 * ops `= != < > <= >= LIKE IN (…) IS [NOT] NULL`, strings in single quotes that are doubled to escape. Keywords in any case.
 * @throws {InvalidRequest} naming `where` and the position
 */
export function parseWhere(text: string): Where {
  if (text.length > MAX_LENGTH) throw wrong(`it is longer than ${MAX_LENGTH} characters`);
  const tokens = tokenize(text);
  let next = 0;
  const peek = (): Token => tokens[next] as Token;
  const take = (): Token => tokens[next++] as Token;
  const isWord = (token: Token, word: string): boolean =>
    token.type === "word" && token.text.toUpperCase() === word;
  const isSymbol = (token: Token, symbol: string): boolean =>
    token.type === "symbol" && token.text === symbol;

  function expect(matches: boolean, what: string): void {
    if (!matches) throw unexpected(peek(), what);
    next++;
  }

  function join(kind: "or" | "and", word: string, operand: (depth: number) => Where, depth: number): Where {
    const terms = [operand(depth)];
    while (isWord(peek(), word)) {
      next++;
      terms.push(operand(depth));
    }
    return terms.length === 1 ? (terms[0] as Where) : { kind, terms };
  }

  const or = (depth: number): Where => join("or", "OR", and, depth);
  const and = (depth: number): Where => join("and", "AND", term, depth);

  function term(depth: number): Where {
    if (depth > MAX_DEPTH) throw wrong(`more than ${MAX_DEPTH} parentheses deep`);
    if (isSymbol(peek(), "(")) {
      next++;
      const inner = or(depth + 1);
      expect(isSymbol(peek(), ")"), ")");
      return inner;
    }
    const field = peek().type === "word" ? take().text : fail("a field name");
    if (isWord(peek(), "IS")) {
      next++;
      const negated = isWord(peek(), "NOT");
      if (negated) next++;
      expect(isWord(peek(), "NULL"), "NULL");
      return { kind: "null", field, negated };
    }
    if (isWord(peek(), "IN")) {
      next++;
      expect(isSymbol(peek(), "("), "(");
      const values = [value()];
      while (isSymbol(peek(), ",")) {
        next++;
        values.push(value());
      }
      expect(isSymbol(peek(), ")"), ")");
      return { kind: "in", field, values };
    }
    const token = peek();
    const operator = isWord(token, "LIKE") ? "LIKE" : token.text === "<>" ? "!=" : token.text;
    if (!isComparison(operator) || token.type === "string")
      return fail("an operator: = != < > <= >= LIKE IN IS");
    next++;
    return { kind: "compare", field, operator, value: value() };
  }

  function value(): Value {
    const token = take();
    if (token.type === "string") return token.text;
    if (token.type === "number") return Number(token.text);
    if (isWord(token, "TRUE")) return true;
    if (isWord(token, "FALSE")) return false;
    throw unexpected(token, "a value: 'text', a number, true or false");
  }

  function fail(what: string): never {
    throw unexpected(peek(), what);
  }

  const parsed = or(0);
  if (peek().type !== "end") throw unexpected(peek(), "AND, OR or the end");
  return parsed;
}

/** The fields that an expression speaks of. */
export function fieldsOf(where: Where): string[] {
  return "terms" in where ? where.terms.flatMap(fieldsOf) : [where.field];
}

function isComparison(text: string): text is Comparison {
  return ["=", "!=", "<", ">", "<=", ">=", "LIKE"].includes(text);
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  scan: while (at < text.length) {
    for (const [type, pattern] of PATTERNS) {
      pattern.lastIndex = at;
      const found = pattern.exec(text)?.[0];
      if (found === undefined) continue;
      if (type === "string") tokens.push({ type, text: found.slice(1, -1).replaceAll("''", "'"), at });
      else if (type !== "space" && type !== "end") tokens.push({ type, text: found, at });
      at += found.length;
      continue scan;
    }
    throw wrong(
      text[at] === "'"
        ? `the string that begins at character ${at + 1} has no end`
        : `character ${at + 1} cannot be read`,
    );
  }
  tokens.push({ type: "end", text: "", at: text.length });
  return tokens;
}

function unexpected(token: Token, expected: string): InvalidRequest {
  const found = token.type === "end" ? "the end" : JSON.stringify(token.text.slice(0, 50));
  return wrong(`${expected} expected at character ${token.at + 1}, found ${found}`);
}

function wrong(reason: string): InvalidRequest {
  return new InvalidRequest(`where cannot be read: ${reason}`, "where");
}
