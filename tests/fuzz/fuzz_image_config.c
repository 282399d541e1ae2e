/* Any bytes: what is accepted as an image config has the form that its users rely on. */
#include <stdint.h>
#include <stdlib.h>

#include "images/config.h"
#include "images/ref.h"

#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_accepted(const struct image_config *c)
{
	MUST(!c->user || (*c->user && !has_control(c->user)));
	MUST(!c->workdir || (*c->workdir == '/' && !has_control(c->workdir)));
	MUST(!c->stop_signal || *c->stop_signal);
	for (size_t i = 0; i < c->n_env; i++)
		MUST(strchr(c->env[i], '=') > c->env[i]);
	for (size_t i = 0; i < c->n_volumes; i++)
		MUST(c->volumes[i][0] == '/' && !has_control(c->volumes[i]));
	for (size_t i = 0; i < c->n_ports; i++)
		MUST(c->ports[i][0] >= '0' && c->ports[i][0] <= '9');
	json_each(label, c->labels)
		MUST(label->type == JSON_STRING);
	MUST(c->n_diff_ids <= IMAGE_LAYERS_MAX);
	for (size_t i = 0; i < c->n_diff_ids; i++)
		MUST(digest_valid(c->diff_ids[i]));
	MUST(!c->n_cmd || !c->cmd[c->n_cmd]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_config c;

	if (image_config_parse((const char *)data, size, &c) < 0)
		return 0;
	check_accepted(&c);
	image_config_free(&c);
	return 0;
}
