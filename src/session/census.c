#include "session/census.h"

#include <stdlib.h>

#include "session/survey.h"

int prof_census_file(const char *path, struct prof_census_row **rows, size_t *count,
                     struct prof_error *error) {
  struct prof_datafile *file = NULL;
  struct prof_survey survey = {0};
  *rows = NULL;
  *count = 0;
  int status = prof_datafile_open(path, &file, error);
  if (!status)
    status = prof_survey_file(&survey, file, NULL, error);
  if (!status) {
    *rows = calloc(survey.count + 1, sizeof **rows);
    if (!*rows)
      status = prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the processes");
  }
  for (size_t i = 0; !status && i < survey.count; i++)
    if (survey.processes[i].samples)
      (*rows)[(*count)++] =
          (struct prof_census_row){survey.processes[i].pid, survey.processes[i].samples};
  prof_survey_free(&survey);
  prof_datafile_close(file);
  return status;
}
