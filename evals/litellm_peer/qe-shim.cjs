#!/usr/bin/env node
// Takes the place of Prisma's `query-engine` binary where its host cannot be reached: speaks the binary's protocol
// (GraphQL over HTTP) and lets the WASM build of the same engine commit, shipped by npm's @prisma/client, do the work.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const ENGINE_COMMIT = '393aa359c9ad4a4bb28630fb5613f9c281cde053';
if (process.argv.some((flag) => flag === '--version' || flag === '-V')) {
  console.log(`query-engine ${ENGINE_COMMIT}`);
  process.exit(0);
}

const graphql = require('graphql');
const { Pool } = require('pg');
const { PrismaPg } = require('@prisma/adapter-pg');
const { bindAdapter } = require('@prisma/driver-adapter-utils');

const schema = fs.readFileSync(process.env.PRISMA_DML_PATH, 'utf8');
const typesOf = fieldTypes(schema);

// --- GraphQL in, the engine's JSON protocol out ---

// Longer suffixes come first: `findUniqueXOrThrow` also starts with `findUnique`.
const VERBS = [
  ...['findUnique', 'findFirst'].map((verb) => ({ verb, suffix: 'OrThrow', action: `${verb}OrThrow` })),
  ...['findUnique', 'findFirst', 'findMany', 'createOne', 'createMany', 'updateOne', 'updateMany', 'deleteOne',
    'deleteMany', 'upsertOne', 'aggregate', 'groupBy'].map((verb) => ({ verb, suffix: '', action: verb })),
];
const JSON_OPERATORS = new Set([
  'equals', 'not', 'in', 'notIn', 'set', 'push', 'array_contains', 'array_starts_with', 'array_ends_with',
]);

// Model name -> field name -> type name, read off the schema text.
function fieldTypes(text) {
  const models = {};
  for (const [, model, body] of text.matchAll(/^\s*model\s+(\w+)\s*\{([\s\S]*?)^\s*\}/gm)) {
    const fields = [...body.matchAll(/^\s*(\w+)\s+(\w+)/gm)];
    models[model] = Object.fromEntries(fields.map(([, name, type]) => [name, type]));
  }
  return models;
}

function operation(name) {
  if (name === 'queryRaw' || name === 'executeRaw') return { action: name };
  const found = VERBS.find(({ verb, suffix }) => name.startsWith(verb) && name.endsWith(suffix));
  if (!found) throw new Error(`the engine has no operation ${name}`);
  const modelName = name.slice(found.verb.length, name.length - found.suffix.length);
  return { action: found.action, modelName };
}

function literal(node) {
  switch (node.kind) {
    case 'NullValue': return null;
    case 'FloatValue': return Number(node.value);
    case 'IntValue': {
      const number = Number(node.value);
      return Number.isSafeInteger(number) ? number : { $type: 'BigInt', value: node.value };
    }
    case 'StringValue': case 'EnumValue': case 'BooleanValue': return node.value;
    case 'ListValue': return node.values.map(literal);
    case 'ObjectValue': return Object.fromEntries(node.fields.map((f) => [f.name.value, literal(f.value)]));
    default: throw new Error(`a literal of kind ${node.kind} is not understood`);
  }
}

const argumentsOf = (node) => Object.fromEntries((node.arguments ?? []).map((a) => [a.name.value, literal(a.value)]));

function selectionOf(set) {
  const chosen = (set?.selections ?? []).map((field) => {
    const nested = field.selectionSet || field.arguments?.length;
    return [field.name.value, nested ? { arguments: argumentsOf(field), selection: selectionOf(field.selectionSet) } : true];
  });
  return Object.fromEntries(chosen);
}

// The client sends JSON columns as text, which the JSON protocol wants marked.
function markJson(value) {
  if (typeof value === 'string') return { $type: 'Json', value };
  if (Array.isArray(value)) return value.map(markJson);
  if (value === null || typeof value !== 'object') return value;
  return mapValues(value, (inner, key) => (JSON_OPERATORS.has(key) ? markJson(inner) : inner));
}

function markJsonFields(value, model) {
  if (Array.isArray(value)) return value.map((item) => markJsonFields(item, model));
  if (value === null || typeof value !== 'object' || '$type' in value) return value;
  return mapValues(value, (inner, key) => {
    const type = typesOf[model]?.[key];
    if (type === 'Json') return markJson(inner);
    return markJsonFields(inner, type in typesOf ? type : model);
  });
}

// The adapter cannot decode an array of `name`, which LiteLLM's search for its views asks for.
function decodable(args) {
  return args.query ? { ...args, query: args.query.replace('ARRAY_AGG(viewname)', 'ARRAY_AGG(viewname::text)') } : args;
}

function jsonQuery(text) {
  const field = graphql.parse(text).definitions[0].selectionSet.selections[0];
  const named = operation(field.name.value);
  const given = argumentsOf(field);
  const args = named.modelName ? markJsonFields(given, named.modelName) : decodable(given);
  return { ...named, query: { arguments: args, selection: selectionOf(field.selectionSet) } };
}

// --- the engine's answer, as the binary gives it ---

function unmarked(value) {
  if (Array.isArray(value)) return value.map(unmarked);
  if (value === null || typeof value !== 'object') return value;
  return '$type' in value && 'value' in value ? value.value : mapValues(value, unmarked);
}

function parsedJsonColumns(table) {
  const columns = table.types.flatMap((type, index) => (type === 'json' ? [index] : []));
  for (const row of table.rows) {
    for (const column of columns) {
      try { row[column] = JSON.parse(row[column]); } catch { /* it is a value already */ }
    }
  }
  return table;
}

function binaryAnswer(answer) {
  if (answer.errors) return { errors: answer.errors };
  const [[name, result]] = Object.entries(answer.data);
  return { data: { result: name === 'queryRaw' ? parsedJsonColumns(result) : unmarked(result) } };
}

function failure(error) {
  const message = String(error?.message ?? error);
  let known = null;
  try { known = JSON.parse(message); } catch { /* plain words */ }
  const told = known?.error_code ? known : { is_panic: false, message, error_code: 'P2010', meta: {} };
  return { errors: [{ error: message, user_facing_error: told }] };
}

// --- the engine ---

function connectionString() {
  const given = JSON.parse(process.env.OVERWRITE_DATASOURCES || '[]');
  const url = new URL(Object.values(given)[0]?.url ?? process.env.DATABASE_URL);
  // Prisma's own parameters, which PostgreSQL would refuse.
  for (const name of ['connection_limit', 'pool_timeout', 'schema', 'pgbouncer', 'connect_timeout']) {
    url.searchParams.delete(name);
  }
  return url.toString();
}

async function openEngine() {
  const runtime = path.join(path.dirname(require.resolve('@prisma/client/package.json')), 'runtime');
  const glue = require(path.join(runtime, 'query_engine_bg.postgresql.js'));
  const wasm = new WebAssembly.Module(fs.readFileSync(path.join(runtime, 'query_engine_bg.postgresql.wasm')));
  glue.__wbg_set_wasm(new WebAssembly.Instance(wasm, { './query_engine_bg.js': glue }).exports);
  const adapter = bindAdapter(new PrismaPg(new Pool({ connectionString: connectionString(), max: 10 })));
  const settings = {
    datamodel: schema, engineProtocol: 'json', logLevel: 'error', logQueries: false, datasourceOverrides: {},
    env: process.env, configDir: process.cwd(), ignoreEnvVarErrors: true,
  };
  const engine = new glue.QueryEngine(settings, () => {}, adapter);
  await engine.connect('{}');
  return engine;
}

const parsed = (answer) => (typeof answer === 'string' ? JSON.parse(answer || '{}') : answer ?? {});

async function startTransaction(engine, body) {
  const options = { max_wait: body.max_wait ?? 2000, timeout: body.timeout ?? 5000 };
  const answer = parsed(await engine.startTransaction(JSON.stringify(options), '{}'));
  return answer.id ? { id: answer.id } : { errors: [answer] };
}

async function endTransaction(engine, id, verb) {
  return parsed(await (verb === 'commit' ? engine.commitTransaction(id, '{}') : engine.rollbackTransaction(id, '{}')));
}

async function answerQueries(engine, body, transaction) {
  const run = async (query) => parsed(await engine.query(JSON.stringify(query), '{}', transaction));
  if (!body.batch) return binaryAnswer(await run(jsonQuery(body.query)));
  const batch = body.batch.map((one) => jsonQuery(one.query));
  const answer = await run({ batch, transaction: body.transaction ? {} : undefined });
  return answer.errors ? answer : { batchResult: answer.batchResult.map(binaryAnswer) };
}

async function answered(engine, request, text) {
  if (request.url.startsWith('/status')) return { status: 'ok' };
  if (request.url.startsWith('/metrics')) return { counters: [], gauges: [], histograms: [] };
  const ended = request.url.match(/^\/transaction\/([^/]+)\/(commit|rollback)/);
  if (ended) return endTransaction(engine, ended[1], ended[2]);
  const body = JSON.parse(text || '{}');
  if (request.url === '/transaction/start') return startTransaction(engine, body);
  return answerQueries(engine, body, request.headers['x-transaction-id']);
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value, key)]));
}

async function main() {
  const port = Number(process.argv[process.argv.indexOf('-p') + 1]);
  const engine = await openEngine();
  const server = http.createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const document = await answered(engine, request, text).catch(failure);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  });
  server.listen(port, '127.0.0.1');
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
}

main().catch((error) => { console.error(error); process.exit(1); });
