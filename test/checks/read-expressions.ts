import ts from "typescript";

export interface Expression {
  /** `file:line` */
  readonly at: string;
  readonly source: string;
  readonly flags: string;
}

/** These methods make a regular expression of a plain text: https://tc39.es/ecma262/#sec-string.prototype.match */
const TURN_TEXT_INTO_EXPRESSION: readonly string[] = ["match", "matchAll", "search"];

/**
 * Finds the regular expressions of a source file.
 * @returns the literal expressions, and a complaint for each place that makes an expression of anything but a literal
 */
export function readExpressions(
  file: string,
  text: string,
): { readonly expressions: Expression[]; readonly made: string[] } {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const expressions: Expression[] = [];
  const made: string[] = [];
  const named = new Set<string>();
  const placeOf = (node: ts.Node): string =>
    `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;

  const collect = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) expressions.push({ at: placeOf(node), ...parts(node.text) });
    if (isConstructor(node)) {
      const [pattern, flags] = node.arguments ?? [];
      if (isText(pattern) && (flags === undefined || isText(flags))) {
        expressions.push({ at: placeOf(node), source: pattern.text, flags: flags?.text ?? "" });
      } else if (pattern !== undefined && !ts.isRegularExpressionLiteral(pattern)) {
        made.push(`${placeOf(node)}: RegExp of something else than a literal; look for pieces with indexOf`);
      }
    }
    if (
      ts.isVariableDeclaration(node) &&
      ts.isIdentifier(node.name) &&
      node.initializer !== undefined &&
      ts.isRegularExpressionLiteral(node.initializer)
    ) {
      named.add(node.name.text);
    }
    ts.forEachChild(node, collect);
  };
  collect(source);

  const judgeCalls = (node: ts.Node): void => {
    if (
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      TURN_TEXT_INTO_EXPRESSION.includes(node.expression.name.text) &&
      node.arguments.length === 1
    ) {
      const [pattern] = node.arguments;
      const isExpression =
        pattern !== undefined &&
        (ts.isRegularExpressionLiteral(pattern) || (ts.isIdentifier(pattern) && named.has(pattern.text)));
      if (!isExpression) {
        made.push(`${placeOf(node)}: ${node.expression.name.text} of something else than a literal`);
      }
    }
    ts.forEachChild(node, judgeCalls);
  };
  judgeCalls(source);
  return { expressions, made };
}

function isConstructor(node: ts.Node): node is ts.NewExpression | ts.CallExpression {
  if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return false;
  const { expression } = node;
  const name = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
  return ts.isIdentifier(name) && name.text === "RegExp";
}

function isText(node: ts.Node | undefined): node is ts.StringLiteralLike {
  return node !== undefined && ts.isStringLiteralLike(node);
}

function parts(literal: string): { source: string; flags: string } {
  const end = literal.lastIndexOf("/");
  return { source: literal.slice(1, end), flags: literal.slice(end + 1) };
}
