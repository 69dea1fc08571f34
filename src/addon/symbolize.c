#include "addon/symbolize.h"

#include "addon/arguments.h"
#include "addon/values.h"
#include "code/lookup.h"
#include "code/module.h"
#include "code/symbol.h"

struct arguments {
  char path[PATH_MAX];
  const double *addresses;
  size_t count;
};

static bool read_arguments(napi_env env, napi_callback_info info, struct arguments *out) {
  napi_value values[2];
  napi_typedarray_type type;
  size_t count = 2;
  bool is_array = false;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok ||
      !prof_argument_path(env, values[0], out->path))
    return false;
  if (napi_is_typedarray(env, values[1], &is_array) == napi_ok && is_array &&
      napi_get_typedarray_info(env, values[1], &type, &out->count, (void **)&out->addresses, NULL,
                               NULL) == napi_ok &&
      type == napi_float64_array)
    return true;
  prof_value_throw_with(env, PROF_BAD_OPTION,
                        "symbolize takes a path and a Float64Array of addresses");
  return false;
}

static napi_value name_value(napi_env env, struct prof_lookup *lookup, double address) {
  struct prof_named named;
  napi_value value;
  bool is_address = address > 0 && address < 9007199254740992.0; /* 2^53 */
  if (!is_address || !prof_lookup_name(lookup, (uint64_t)address, &named))
    return prof_value_null(env);
  if (napi_create_object(env, &value) != napi_ok)
    return NULL;
  prof_value_set_text(env, value, "name", named.name);
  prof_value_set_text(env, value, "symbol", named.symbol);
  prof_value_set_text(env, value, "crate", named.crate ? named.crate : "");
  prof_value_set_number(env, value, "kind", named.kind);
  return value;
}

napi_value prof_symbolize_file(napi_env env, napi_callback_info info) {
  struct arguments arguments;
  struct prof_error error = {0};
  napi_value result, names;
  if (!read_arguments(env, info, &arguments))
    return NULL;
  struct prof_lookup *lookup = prof_lookup_open(arguments.path, &error);
  if (!lookup)
    return prof_value_throw(env, &error);
  const struct prof_module *module = prof_lookup_module(lookup);
  if (napi_create_object(env, &result) != napi_ok ||
      napi_create_array_with_length(env, arguments.count, &names) != napi_ok) {
    prof_lookup_close(lookup);
    return NULL;
  }
  prof_value_set_text(env, result, "buildId", module->build_id);
  prof_value_set_bool(env, result, "hasSymbols", module->flags & PROF_MODULE_SYMTAB);
  for (size_t i = 0; i < arguments.count; i++) {
    napi_value name = name_value(env, lookup, arguments.addresses[i]);
    if (name)
      napi_set_element(env, names, (uint32_t)i, name);
  }
  prof_value_set(env, result, "names", names);
  prof_lookup_close(lookup);
  return result;
}
