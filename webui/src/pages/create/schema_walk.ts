// Finds what a JSON Schema says about a place in a document.
export type Schema = { readonly [key: string]: unknown };

export interface Schemas {
  readonly experiment: Schema;
  /** What the experiment's schema refers to as search_space.schema.json. */
  readonly searchSpace: Schema;
}

interface Rooted {
  readonly schema: Schema;
  readonly root: Schema;
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function resolve({ schema, root }: Rooted, schemas: Schemas): Rooted {
  const reference = schema["$ref"];
  if (typeof reference !== "string") return { schema, root };
  const [file = "", pointer = ""] = reference.split("#");
  const target = file ? schemas.searchSpace : root;
  let found: unknown = target;
  for (const name of pointer.split("/").filter(Boolean)) found = isSchema(found) ? found[name] : undefined;
  return isSchema(found) ? resolve({ schema: found, root: target }, schemas) : { schema: {}, root };
}

/** A schema and every alternative and condition in it, which together say what may be there. */
function alternatives(rooted: Rooted, schemas: Schemas, depth = 0): Rooted[] {
  const { schema, root } = resolve(rooted, schemas);
  if (depth > 8) return [];
  const inner = ["oneOf", "anyOf", "allOf"].flatMap((name) =>
    Array.isArray(schema[name]) ? (schema[name] as unknown[]) : [],
  );
  const conditional = [schema["then"], schema["else"]];
  return [
    { schema, root },
    ...[...inner, ...conditional]
      .filter(isSchema)
      .flatMap((each) => alternatives({ schema: each, root }, schemas, depth + 1)),
  ];
}

function step(rooted: Rooted, name: string, schemas: Schemas): Rooted[] {
  return alternatives(rooted, schemas).flatMap(({ schema, root }): Rooted[] => {
    if (name === "-") return isSchema(schema["items"]) ? [{ schema: schema["items"], root }] : [];
    const properties = schema["properties"];
    const own = isSchema(properties) ? properties[name] : undefined;
    if (isSchema(own)) return [{ schema: own, root }];
    const others = schema["additionalProperties"];
    return isSchema(others) ? [{ schema: others, root }] : [];
  });
}

export interface Suggestion {
  readonly label: string;
  readonly description: string;
  /** Whether a mapping or list follows the key. */
  readonly isNested: boolean;
}

function at(path: readonly string[], schemas: Schemas): Rooted[] {
  return path.reduce<Rooted[]>(
    (places, name) => places.flatMap((place) => step(place, name, schemas)),
    [{ schema: schemas.experiment, root: schemas.experiment }],
  );
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** The keys that the mapping at a path may have. */
export function keysAt(path: readonly string[], schemas: Schemas): Suggestion[] {
  const found = new Map<string, Suggestion>();
  for (const place of at(path, schemas).flatMap((rooted) => alternatives(rooted, schemas))) {
    const properties = place.schema["properties"];
    if (!isSchema(properties)) continue;
    for (const [label, own] of Object.entries(properties)) {
      if (!isSchema(own) || found.get(label)?.description) continue;
      const all = alternatives({ schema: own, root: place.root }, schemas).map(({ schema }) => schema);
      const description = text(own["description"]) || text(all[0]?.["description"]);
      const isNested = all.some((schema) => isSchema(schema["properties"]) || isSchema(schema["items"]));
      found.set(label, { label, description, isNested });
    }
  }
  return [...found.values()];
}

/** The values that a key at a path may have, where the schema lists them. */
export function valuesAt(path: readonly string[], schemas: Schemas): string[] {
  const values = at(path, schemas)
    .flatMap((rooted) => alternatives(rooted, schemas))
    .flatMap(({ schema }) => {
      if (Array.isArray(schema["enum"])) return schema["enum"] as unknown[];
      if ("const" in schema) return [schema["const"]];
      return schema["type"] === "boolean" ? [true, false] : [];
    });
  return [...new Set(values.map(String))];
}
