import { InvalidRequest } from "../errors.ts";

/** One expression of `where=`. Strings and numbers are distinct. */
export type Where =
  | { readonly kind: "and" | "or"; readonly terms: readonly Where[] }
  | { readonly kind: "compare"; readonly field: string; readonly operator: Comparison; readonly value: Value }
  | { readonly kind: "in"; readonly field: string; readonly values: readonly Value[] }
  | { readonly kind: "null"; readonly field: string; readonly negated: boolean };

export type Comparison = "=" | "!=" | "<" | ">" | "<=" | ">=" | "LIKE";
export type Value = string | number | boolean;

/** Limits: an expression is a query parameter, not a program. */
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
 * Parses CEQL, the small language of `where=`: `field op value` joined by AND and OR (AND binds closer),
 * parentheses, ops `= != < > <= >= LIKE IN (…) IS [NOT] NULL`, strings in single quotes (a quote inside is
 * written twice). Keywords in any case.
 * @throws {InvalidRequest} with the field `where` and the position
 */
export function parseWhere(text: string): Where {
  if (text.length > MAX_LENGTH) throw wrong(`it is longer than ${MAX_LENGTH} characters`);
  return new Parser(tokenize(text)).parse();
}

/** Recursive descent: one method for each rule of the grammar. */
class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Where {
    const parsed = this.#or(0);
    if (this.#peek().type !== "end") throw unexpected(this.#peek(), "AND, OR or the end");
    return parsed;
  }

  #or(depth: number): Where {
    return this.#join("or", "OR", () => this.#and(depth));
  }

  #and(depth: number): Where {
    return this.#join("and", "AND", () => this.#term(depth));
  }

  #join(kind: "or" | "and", word: string, operand: () => Where): Where {
    const terms = [operand()];
    while (this.#skipWord(word)) terms.push(operand());
    return terms.length === 1 ? (terms[0] as Where) : { kind, terms };
  }

  #term(depth: number): Where {
    if (depth > MAX_DEPTH) throw wrong(`more than ${MAX_DEPTH} parentheses deep`);
    if (this.#skipSymbol("(")) {
      const inner = this.#or(depth + 1);
      this.#expectSymbol(")");
      return inner;
    }
    if (this.#peek().type !== "word") throw unexpected(this.#peek(), "a field name");
    const field = this.#take().text;
    if (this.#skipWord("IS")) return this.#isNull(field);
    if (this.#skipWord("IN")) return this.#isIn(field);
    return this.#compare(field);
  }

  #isNull(field: string): Where {
    const negated = this.#skipWord("NOT");
    if (!this.#skipWord("NULL")) throw unexpected(this.#peek(), "NULL");
    return { kind: "null", field, negated };
  }

  #isIn(field: string): Where {
    this.#expectSymbol("(");
    const values = [this.#value()];
    while (this.#skipSymbol(",")) values.push(this.#value());
    this.#expectSymbol(")");
    return { kind: "in", field, values };
  }

  #compare(field: string): Where {
    const token = this.#peek();
    const operator = isWord(token, "LIKE") ? "LIKE" : token.text === "<>" ? "!=" : token.text;
    if (!isComparison(operator) || token.type === "string") {
      throw unexpected(token, "an operator: = != < > <= >= LIKE IN IS");
    }
    this.#next++;
    return { kind: "compare", field, operator, value: this.#value() };
  }

  #value(): Value {
    const token = this.#take();
    if (token.type === "string") return token.text;
    if (token.type === "number") return Number(token.text);
    if (isWord(token, "TRUE")) return true;
    if (isWord(token, "FALSE")) return false;
    throw unexpected(token, "a value: 'text', a number, true or false");
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #take(): Token {
    return this.#tokens[this.#next++] as Token;
  }

  #skipWord(word: string): boolean {
    const isHere = isWord(this.#peek(), word);
    if (isHere) this.#next++;
    return isHere;
  }

  #skipSymbol(symbol: string): boolean {
    const { type, text } = this.#peek();
    const isHere = type === "symbol" && text === symbol;
    if (isHere) this.#next++;
    return isHere;
  }

  #expectSymbol(symbol: string): void {
    if (!this.#skipSymbol(symbol)) throw unexpected(this.#peek(), symbol);
  }
}

function isWord(token: Token, word: string): boolean {
  return token.type === "word" && token.text.toUpperCase() === word;
}

/** The fields that an expression uses. */
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
