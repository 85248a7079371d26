// Source files as a graph of imports, parsed and never executed. What may import what stands in rules.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import ts from 'typescript';

/**
 * `static`: loaded together with the file that imports it; re-exports too, and `import { type X }`, of which
 * verbatimModuleSyntax leaves `import {}`. `dynamic`: loaded when the line runs. `type`: gone after compiling.
 */
export type ImportKind = 'static' | 'dynamic' | 'type';

export type ImportTarget =
  | { readonly kind: 'file'; readonly path: string }
  /** With its `node:` prefix, however it was written. */
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'package'; readonly name: string }
  /** A relative path where no file is, or something computed. */
  | { readonly kind: 'unknown'; readonly text: string };

export interface Import {
  readonly from: string;
  readonly line: number;
  readonly kind: ImportKind;
  readonly target: ImportTarget;
  /** The names taken from it: `default`, `*`; empty for an import of side effects. Only for `static`. */
  readonly names: readonly string[];
}

/** Something taken from the world around without an import: `process`, `Date.now`, `setTimeout`. */
export interface GlobalUse {
  readonly from: string;
  readonly line: number;
  readonly name: string;
}

export interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly globals: readonly GlobalUse[];
  /** Lines of statements that are more than types and imports. */
  readonly statements: readonly { readonly line: number; readonly text: string }[];
}

export type Graph = ReadonlyMap<string, SourceFile>;

/** The graph of files given as path -> text. */
export function graphOf(texts: Readonly<Record<string, string>>): Graph {
  const paths = new Set(Object.keys(texts));
  const files = new Map<string, SourceFile>();
  for (const [file, text] of Object.entries(texts)) files.set(file, read(file, text, paths));
  return files;
}

/** The graph of `src`, `probes` and `bin` as they stand on disk under `root`. */
export function graphOnDisk(root: string): Graph {
  const texts: Record<string, string> = {};
  for (const top of ['src', 'probes', 'bin']) {
    for (const entry of readdirSync(path.join(root, top), { withFileTypes: true, recursive: true })) {
      if (!entry.isFile() || !/\.[cm]?[jt]s$/.test(entry.name)) continue;
      const full = path.join(entry.parentPath, entry.name);
      texts[path.relative(root, full).split(path.sep).join('/')] = readFileSync(full, 'utf8');
    }
  }
  return graphOf(texts);
}

function read(file: string, text: string, paths: ReadonlySet<string>): SourceFile {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
  const imports: Import[] = [];
  const globals: GlobalUse[] = [];
  const lineOf = (node: ts.Node): number => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
  const add = (
    node: ts.Node,
    kind: ImportKind,
    specifier: ts.Node | undefined,
    names: readonly string[] = [],
  ): void => {
    const literal = specifier === undefined ? undefined : literalIn(specifier, source);
    const target: ImportTarget =
      literal === undefined
        ? { kind: 'unknown', text: specifier?.getText(source) ?? '' }
        : resolve(file, literal, paths);
    imports.push({ from: file, line: lineOf(node), kind, target, names });
  };

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause;
      const type = clause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      add(node, type ? 'type' : 'static', node.moduleSpecifier, type ? [] : namesOf(clause));
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      const names =
        node.exportClause !== undefined && ts.isNamedExports(node.exportClause)
          ? node.exportClause.elements.filter((each) => !each.isTypeOnly).map((each) => nameOf(each))
          : ['*'];
      add(node, node.isTypeOnly ? 'type' : 'static', node.moduleSpecifier, node.isTypeOnly ? [] : names);
    } else if (ts.isImportTypeNode(node)) {
      add(node, 'type', ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument);
    } else if (ts.isCallExpression(node) && loads(node.expression)) {
      add(node, 'dynamic', node.arguments[0]);
    }
    const name = globalAt(node);
    if (name !== undefined) globals.push({ from: file, line: lineOf(node), name });
    ts.forEachChild(node, visit);
  };
  visit(source);

  const statements = source.statements
    .filter((each) => !isOnlyTypes(each))
    .map((each) => ({ line: lineOf(each), text: each.getText(source).split('\n', 1)[0] ?? '' }));
  return { path: file, text, imports, globals, statements };
}

/** The text of a string literal, or of a constant at the top of the file that is one; undefined for all that is computed. */
function literalIn(node: ts.Node, source: ts.SourceFile): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isIdentifier(node)) return undefined;
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement) || !(statement.declarationList.flags & ts.NodeFlags.Const)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (ts.isIdentifier(name) && name.text === node.text && initializer !== undefined) {
        return ts.isStringLiteralLike(initializer) ? initializer.text : undefined;
      }
    }
  }
  return undefined;
}

/** `import(...)` or `require(...)`, the one that createRequire makes too. */
function loads(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}

function namesOf(clause: ts.ImportClause | undefined): readonly string[] {
  if (clause === undefined) return [];
  const names = clause.name === undefined ? [] : ['default'];
  const bindings = clause.namedBindings;
  if (bindings === undefined) return names;
  if (ts.isNamespaceImport(bindings)) return [...names, '*'];
  return [...names, ...bindings.elements.filter((each) => !each.isTypeOnly).map((each) => nameOf(each))];
}

/** The name on the other side: `a` of `{ a as b }`. */
function nameOf(specifier: ts.ImportSpecifier | ts.ExportSpecifier): string {
  return (specifier.propertyName ?? specifier.name).text;
}

function isOnlyTypes(statement: ts.Statement): boolean {
  return (
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    (ts.isImportDeclaration(statement) && statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) ||
    (ts.isExportDeclaration(statement) && statement.isTypeOnly)
  );
}

function resolve(from: string, specifier: string, paths: ReadonlySet<string>): ImportTarget {
  if (specifier.startsWith('.')) {
    // bin/ starts what the compiler wrote; the source of dist/src/x.js is src/x.ts.
    const joined = path.posix.join(path.posix.dirname(from), specifier).replace(/^dist\//, '');
    const found = [joined, joined.replace(/\.js$/, '.ts')].find((each) => paths.has(each));
    return found === undefined ? { kind: 'unknown', text: specifier } : { kind: 'file', path: found };
  }
  if (isBuiltin(specifier)) return { kind: 'builtin', name: `node:${specifier.replace(/^node:/, '')}` };
  const [first = '', second = ''] = specifier.split('/');
  return { kind: 'package', name: first.startsWith('@') ? `${first}/${second}` : first };
}

const ambient = new Set(['process', 'performance', 'fetch', 'WebSocket', 'navigator']);
const timers = new Set(['setTimeout', 'setInterval', 'setImmediate']);

/** The name of a global that is used at this node, where it is one that lets the world in. */
function globalAt(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) && named(node.expression, 'Date') && (node.arguments?.length ?? 0) === 0)
    return 'new Date';
  if (ts.isCallExpression(node) && named(node.expression, 'Date')) return 'Date';
  if (ts.isPropertyAccessExpression(node)) {
    const member = node.name.text;
    if (named(node.expression, 'Date') && member === 'now') return 'Date.now';
    if (named(node.expression, 'Math') && member === 'random') return 'Math.random';
    if (named(node.expression, 'crypto')) return 'crypto';
    if (named(node.expression, 'AbortSignal') && member === 'timeout') return 'AbortSignal.timeout';
    if (named(node.expression, 'globalThis') && (ambient.has(member) || timers.has(member))) return member;
  }
  if (!ts.isIdentifier(node) || !(ambient.has(node.text) || timers.has(node.text)) || isOnlyAName(node))
    return undefined;
  return node.text;
}

function named(node: ts.Expression, name: string): boolean {
  return ts.isIdentifier(node) && node.text === name;
}

/** True for a word that names a member, a key or a type and takes nothing from the global scope. */
function isOnlyAName(node: ts.Identifier): boolean {
  const parent = node.parent;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    ts.isPropertySignature(parent) ||
    ts.isMethodSignature(parent) ||
    (ts.isMethodDeclaration(parent) && parent.name === node) ||
    (ts.isPropertyDeclaration(parent) && parent.name === node) ||
    (ts.isBindingElement(parent) && parent.propertyName === node) ||
    ts.isImportSpecifier(parent) ||
    ts.isTypeReferenceNode(parent) ||
    ts.isTypeQueryNode(parent) ||
    ts.isQualifiedName(parent)
  );
}
