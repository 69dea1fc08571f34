/* crate: each rule of docs/crates.md */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "code/crate.h"

static void assert_crate(const char *raw, const char *demangled, const char *wanted) {
  char out[PROF_CRATE_TEXT];
  assert_int_equal(prof_crate_find(raw, demangled, out), wanted != NULL);
  assert_string_equal(out, wanted ? wanted : "");
}

static void a_free_function_belongs_to_its_path(void **state) {
  (void)state;
  assert_crate("_RNvNtNtCs9uzw9QsjIPJ_15swc_ecma_parser6parser3jsx22get_qualified_jsx_name", NULL,
               "swc_ecma_parser");
  assert_crate("_RNCNvNtCs_3abc3def3ghi0", NULL, "abc"); /* closure */
  assert_crate(NULL, "rspack_core::compiler::build::{{closure}}", "rspack_core");
}

/* <swc_ecma_ast::typescript::TsConstructorType as swc_ecma_visit::generated::VisitMutWith<..>>::
 * visit_mut_children_with: written (by a macro) in swc_ecma_visit */
static void a_trait_impl_belongs_to_the_crate_that_holds_the_impl(void **state) {
  (void)state;
  assert_crate("_RNvXscq_NtCsepHMdBJlYew_14swc_ecma_visit9generatedNtNtCs6LwejBPpTfg_12swc_ecma_"
               "ast10typescript17TsConstructorTypeINtB6_12VisitMutWithuE23visit_mut_children_with",
               NULL, "swc_ecma_visit");
  /* <rspack_plugin_html::P as rspack_core::Plugin>::apply, in the plugin */
  assert_crate("_RNvXCs_18rspack_plugin_htmlNtB2_1PNtCs0_11rspack_core6Plugin5apply", NULL,
               "rspack_plugin_html");
  /* <u8 as a::T>::m and <alloc::vec::Vec<b::S> as core::clone::Clone>::clone */
  assert_crate("_RNvXCs_1ahNtB2_1T1m", NULL, "a");
  assert_crate("_RNvXs8_NtNtCs4eo2K3uSu93_5alloc3vec1xINtB5_3VecNtCs_1b1SENtNtCs4V6nf3g5rVe_4core"
               "5clone5Clone5clone",
               NULL, "alloc");
}

/* <swc_ecma_ast::jsx::A as swc_ecma_visit::VisitWith<V>>::visit_children_with */
#define VISIT(type, visitor)                                                                       \
  "_RNvXs41_NtCs1_14swc_ecma_visit9generated" type "INtB6_9VisitWith" visitor                      \
  "E19visit_children_with"
#define AST "NtNtCs0_12swc_ecma_ast3jsx1A"
#define MINIFIER "NtCs2_17swc_ecma_minifier1V"

static void a_walk_over_anothers_data_belongs_to_the_visitor(void **state) {
  (void)state;
  assert_crate(VISIT(AST, MINIFIER), NULL, "swc_ecma_minifier");
  assert_crate(VISIT(AST, "QL_" MINIFIER), NULL, "swc_ecma_minifier"); /* &mut V */
  assert_crate(VISIT("INtNtCs3_5alloc3vec3Vec" AST "E", MINIFIER), NULL, "swc_ecma_minifier");
  assert_crate(VISIT("S" AST, "INtB6_8AsFolder" MINIFIER "E"), NULL, "swc_ecma_minifier");
  assert_crate("_RNCNvXs41_NtCs1_14swc_ecma_visit9generated" AST "INtB8_9VisitWith" MINIFIER
               "E19visit_children_with0",
               NULL, "swc_ecma_minifier"); /* a closure in it */
  /* the visitor as the method's parameter, and a name taken from the bindings */
  assert_crate("_RINvXs_Cs1_5visit" AST "NtB5_4Fold4foldNtCs2_4mine1VE", NULL, "mine");
  /* what a visitor holds does not count: utils::Collector<atoms::Atom> */
  assert_crate(VISIT(AST, "INtCs2_5utils9CollectorNtCs4_5atoms4AtomE"), NULL, "utils");
  assert_crate("_RINvXs_Cs1_5visit" AST "NtB5_4Fold4foldINtB5_1WNtCs2_4mine1VEE", NULL, "mine");
  assert_crate("_RNvXs41_NtCsepHMdBJlYew_14swc_ecma_visit9generatedNtNtCs6LwejBPpTfg_12swc_ecma_ast"
               "3jsx15JSXAttrOrSpreadINtB6_9VisitWithNtNtCs8ry3Tw9h1rY_32swc_ecma_transforms_"
               "optimization5debug11AssertValidE19visit_children_with",
               NULL, "swc_ecma_transforms_optimization");
}

static void a_parameter_that_is_no_visitor_changes_nothing(void **state) {
  (void)state;
  /* the visitor of the data's own crate, of the trait's, of std, none, and a dyn of the trait's */
  assert_crate(VISIT(AST, "NtCs0_12swc_ecma_ast1V"), NULL, "swc_ecma_visit");
  assert_crate(VISIT(AST, "NtB6_4Noop"), NULL, "swc_ecma_visit");
  assert_crate(VISIT(AST, "NtNtCs3_5alloc6string6String"), NULL, "swc_ecma_visit");
  assert_crate(VISIT(AST, "DNtB6_5VisitEL_"), NULL, "swc_ecma_visit");
  /* the trait crate's own type, and data of std alone */
  assert_crate(VISIT("NtB6_5Thing", MINIFIER), NULL, "swc_ecma_visit");
  assert_crate(VISIT("h", MINIFIER), NULL, "swc_ecma_visit");
  /* <mine::S as core::convert::From<other::E>>::from and <mine::S as other::T<third::P>>::m: an
   * impl that does not stand beside its trait */
  assert_crate("_RNvXCs_4mineNtB2_1SINtNtCs0_4core7convert4FromNtCs1_5other1EE4from", NULL, "mine");
  assert_crate("_RNvXCs_4mineNtB2_1SINtCs1_5other1TNtCs2_5third1PE1m", NULL, "mine");
  /* <Vec<data::D> as core::convert::From<mine::A<third::B>>>::from, in mine */
  assert_crate(
      "_RNvXCs_4mineINtNtCs1_5alloc3vec3VecNtCs2_4data1DEINtNtCs0_4core7convert4FromINtB2_1A"
      "NtCs3_5third1BEE4from",
      NULL, "mine");
  /* <[mine::S] as core::cmp::PartialEq<[other::T]>>::eq: std's stays std's */
  assert_crate("_RNvXs_NtCs0_4core3cmpSNtCs1_4mine1SINtB4_9PartialEqSNtCs2_5other1TE2eq", NULL,
               "core");
  /* <rayon::IntoIter<mine::S> as rayon::Parallel>::drive::<third::C>: rayon's own type */
  assert_crate("_RINvXs_Cs0_5rayonINtB5_8IntoIterNtCs1_4mine1SENtB5_8Parallel5driveNtCs2_5third1CE",
               NULL, "rayon");
  /* <Vec<mine::S> as rayon::FromPar<mine::S>>::from_par::<third::P>: an element comes first */
  assert_crate("_RNvXs_Cs0_5rayonINtNtCs1_5alloc3vec3VecNtCs2_4mine1SEINtB4_7FromParNtCs2_4mine1SE"
               "8from_par",
               NULL, "rayon");
}

static void a_traits_own_method_belongs_to_the_trait(void **state) {
  (void)state;
  assert_crate("_RNvYNtCs_4mine1SNtCs0_11rspack_core17DependenciesBlock14get_block_refs", NULL,
               "rspack_core");
}

static void inherent_and_generic_std_code_belongs_to_std(void **state) {
  (void)state;
  assert_crate("_RNvMs3_NtCs4eo2K3uSu93_5alloc7raw_vecINtB5_6RawVecNtCs_4mine1SE8grow_one", NULL,
               "alloc");
  assert_crate(NULL, "<alloc::vec::Vec<mine::S>>::push", "alloc");
}

static void glue_belongs_to_the_type_it_is_made_for(void **state) {
  (void)state;
  assert_crate("_RINvNtCs4V6nf3g5rVe_4core3ptr13drop_in_placeNtNtCsfmOHX6AFkkE_17cranelift_codegen"
               "3isa5MInstEBK_.llvm.9969460546375949884",
               NULL, "cranelift_codegen");
  /* drop_in_place::<alloc::vec::Vec<mine::S>>, ::<alloc::string::String> */
  assert_crate("_RINvNtCs_4core3ptr13drop_in_placeINtNtCs0_5alloc3vec3VecNtCs1_4mine1SEEB4_", NULL,
               "mine"); /* B4_: the instantiating crate */
  assert_crate("_RINvNtCs_4core3ptr13drop_in_placeINtNtCs0_5alloc3vec3VecNtCs1_4mine1SEE", NULL,
               "mine");
  assert_crate("_RINvNtCs_4core3ptr13drop_in_placeNtNtCs0_5alloc6string6StringE", NULL, "core");
  /* drop_in_place::<other::Map<mine::S>> */
  assert_crate("_RINvNtCs_4core3ptr13drop_in_placeINtCs0_5other3MapNtCs1_4mine1SEE", NULL, "other");
  assert_crate(NULL, "core::ptr::drop_in_place<alloc::vec::Vec<swc_ecma_ast::Expr>>",
               "swc_ecma_ast");
  assert_crate(NULL, "core::ptr::drop_in_place<[u8]>", "core");
  /* <mine::f::{closure#0} as core::ops::function::FnOnce<()>>::call_once::{shim:vtable#0} */
  assert_crate("_RNSNvYNCNvCs_4mine1f0INtNtNtCs0_4core3ops8function6FnOnceuE9call_once6vtable",
               NULL, "mine");
}

static void text_alone_follows_the_orphan_rule(void **state) {
  (void)state;
  assert_crate(NULL, "<rspack_plugin_html::P as rspack_core::Plugin>::apply", "rspack_plugin_html");
  assert_crate(NULL, "<swc_ecma_ast::Expr as core::clone::Clone>::clone", "swc_ecma_ast");
  assert_crate(NULL, "<alloc::vec::Vec<T> as swc_visit::Visit>::visit", "swc_visit");
  assert_crate(NULL, "<&mut T as serde::de::Visitor>::visit", "serde");
  assert_crate(NULL, "<T as alloc::string::ToString>::to_string", "alloc");
  assert_crate(NULL, "<aa::F<fn(bb::X) -> cc::Y> as dd::T>::m", "aa");
  assert_crate(NULL, "<&dyn mine::T as core::fmt::Debug>::fmt", "mine");
}

static void what_is_no_rust_has_none(void **state) {
  (void)state;
  assert_crate("memcpy", "memcpy", NULL);
  assert_crate(NULL, "", NULL);
  assert_crate(NULL, "<", NULL);
  assert_crate(NULL, "<>", NULL);
  assert_crate(NULL, "::", NULL);
  assert_crate(NULL, "< as >::", NULL);
  assert_crate("_R", "x", NULL);
  assert_crate(NULL, NULL, NULL);
}

static void std_is_known(void **state) {
  (void)state;
  assert_true(prof_crate_is_std((struct prof_text){"core", 4}));
  assert_true(prof_crate_is_std((struct prof_text){"hashbrown", 9}));
  assert_false(prof_crate_is_std((struct prof_text){"cor", 3}));
  assert_false(prof_crate_is_std((struct prof_text){"rspack_core", 11}));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_free_function_belongs_to_its_path),
      cmocka_unit_test(a_trait_impl_belongs_to_the_crate_that_holds_the_impl),
      cmocka_unit_test(a_walk_over_anothers_data_belongs_to_the_visitor),
      cmocka_unit_test(a_parameter_that_is_no_visitor_changes_nothing),
      cmocka_unit_test(a_traits_own_method_belongs_to_the_trait),
      cmocka_unit_test(inherent_and_generic_std_code_belongs_to_std),
      cmocka_unit_test(glue_belongs_to_the_type_it_is_made_for),
      cmocka_unit_test(text_alone_follows_the_orphan_rule),
      cmocka_unit_test(what_is_no_rust_has_none),
      cmocka_unit_test(std_is_known),
  };
  return cmocka_run_group_tests_name("crate", tests, NULL, NULL);
}
