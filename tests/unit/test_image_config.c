/* Image configs: what is read from them, and what is refused. Also what `import --change` writes. */
#include <errno.h>

#include "base/error.h"
#include "images/config.h"
#include "images/ctr-images/changes.h"
#include "unit.h"

#define DIFF "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIFF "\"]}"

static int parse(const char *text, struct image_config *c)
{
	return image_config_parse(text, strlen(text), c);
}

/* True when a config with this member "config" is refused with a sentence that holds WHY. */
static bool run_refused(const char *run, const char *why)
{
	_cleanup_(freep) char *text = xasprintf("{\"config\":%s," ROOTFS "}", run);
	struct image_config c;

	if (parse(text, &c) == -EINVAL && strstr(error_text(), why))
		return true;
	printf("# %s: %s\n", text, error_text());
	return false;
}

static bool refused(const char *text, const char *why)
{
	struct image_config c;

	if (parse(text, &c) == -EINVAL && strstr(error_text(), why))
		return true;
	printf("# %s: %s\n", text, error_text());
	return false;
}

TEST("all that a container is started with is read")
{
	struct image_config c;
	const char *text =
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"2026-01-01T00:00:00Z\",\"config\":{"
		"\"User\":\"www-data:www-data\",\"WorkingDir\":\"/srv\",\"Env\":[\"A=1\",\"B=\",\"C=x=y\"],"
		"\"Entrypoint\":[\"/e\"],\"Cmd\":[\"a\",\"b\"],\"Volumes\":{\"/data\":{}},"
		"\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{},\"9000-9010/tcp\":{},\"8080\":{}},"
		"\"Labels\":{\"k\":\"v\"},\"StopSignal\":\"SIGRTMIN+3\"}," ROOTFS "}";

	CHECK(parse(text, &c) == 0);
	CHECK(streq(c.architecture, "amd64") && streq(c.os, "linux"));
	CHECK(streq(c.user, "www-data:www-data") && streq(c.workdir, "/srv"));
	CHECK(c.n_env == 3 && streq(c.env[2], "C=x=y") && c.env[3] == NULL);
	CHECK(c.n_entrypoint == 1 && c.n_cmd == 2 && streq(c.cmd[1], "b"));
	CHECK(c.n_volumes == 1 && streq(c.volumes[0], "/data"));
	CHECK(c.n_ports == 4 && streq(c.ports[0], "80/tcp"));
	CHECK(c.labels && streq(json_get(c.labels, "k")->text, "v"));
	CHECK(streq(c.stop_signal, "SIGRTMIN+3"));
	CHECK(c.n_diff_ids == 1 && streq(c.diff_ids[0], DIFF));
	image_config_free(&c);
}

TEST("what is absent, null or empty is NULL")
{
	struct image_config c;

	CHECK(parse("{\"config\":{\"User\":\"\",\"WorkingDir\":null,\"Env\":null,\"Cmd\":null}," ROOTFS "}", &c) == 0);
	CHECK(!c.user && !c.workdir && !c.env && !c.cmd && !c.entrypoint && !c.volumes && !c.labels);
	image_config_free(&c);
	CHECK(parse("{\"config\":null," ROOTFS "}", &c) == 0);
	image_config_free(&c);
	CHECK(parse("{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}", &c) == 0 && c.n_diff_ids == 0);
	image_config_free(&c);
}

TEST("wrong types are refused by name")
{
	CHECK(run_refused("{\"Env\":\"A=1\"}", "config.Env must be an array"));
	CHECK(run_refused("{\"Env\":[1]}", "config.Env[0] must be a string"));
	CHECK(run_refused("{\"Cmd\":{}}", "config.Cmd must be an array"));
	CHECK(run_refused("{\"User\":0}", "config.User must be a string"));
	CHECK(run_refused("{\"Volumes\":[\"/a\"]}", "config.Volumes must be an object"));
	CHECK(run_refused("{\"Labels\":{\"a\":1}}", "config.Labels.a must be a string"));
	CHECK(run_refused("[]", "config must be an object"));
	CHECK(refused("[]", "must be an object"));
	CHECK(refused("{", "not valid JSON"));
	CHECK(refused("", "not valid JSON"));
}

TEST("an image cannot write a line of its own into a file of the host or the container")
{
	CHECK(run_refused("{\"User\":\"root\\nevil:x:0:0\"}", "config.User holds a control character"));
	CHECK(run_refused("{\"WorkingDir\":\"/a\\nb\"}", "config.WorkingDir holds a control character"));
	CHECK(run_refused("{\"Env\":[\"A\\nB=1\"]}", "config.Env[0] has a control character in its name"));
	CHECK(run_refused("{\"Volumes\":{\"/a\\u001b\":{}}}", "holds a control character"));
	CHECK(run_refused("{\"User\":\"a\\u0000b\"}", "NUL"));
}

TEST("values out of form are refused")
{
	CHECK(run_refused("{\"WorkingDir\":\"srv\"}", "config.WorkingDir must be an absolute path"));
	CHECK(run_refused("{\"Volumes\":{\"data\":{}}}", "must be an absolute path"));
	CHECK(run_refused("{\"Env\":[\"=1\"]}", "must be NAME=VALUE"));
	CHECK(run_refused("{\"Env\":[\"A\"]}", "must be NAME=VALUE"));
	CHECK(run_refused("{\"ExposedPorts\":{\"http\":{}}}", "is not a port"));
	CHECK(run_refused("{\"ExposedPorts\":{\"65536/tcp\":{}}}", "is not a port"));
	CHECK(run_refused("{\"ExposedPorts\":{\"80/icmp\":{}}}", "is not a port"));
	CHECK(run_refused("{\"ExposedPorts\":{\"1-2-3/tcp\":{}}}", "is not a port"));
	CHECK(run_refused("{\"StopSignal\":\"kill all\"}", "is not a signal"));
	CHECK(refused("{\"architecture\":\"vax\"," ROOTFS "}", "architecture is no known architecture"));
	CHECK(refused("{\"os\":\"amiga\"," ROOTFS "}", "os is no known operating system"));
}

TEST("layers must be layers, by strict digests, and no more than 127")
{
	struct strbuf b = {0};

	CHECK(refused("{}", "has no member rootfs"));
	CHECK(refused("{\"rootfs\":{\"diff_ids\":[]}}", "must have the type"));
	CHECK(refused("{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:../x\"]}}", "rootfs.diff_ids[0]"));
	strbuf_puts(&b, "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIFF "\"");
	for (int i = 0; i < IMAGE_LAYERS_MAX; i++)
		strbuf_puts(&b, ",\"" DIFF "\"");
	strbuf_puts(&b, "]}}");
	CHECK(refused(b.p, "more than 127 layers"));
	strbuf_free(&b);
}

TEST("a config that is too large is refused before it is parsed")
{
	struct image_config c;
	char *big = xmalloc(IMAGE_CONFIG_MAX + 1);

	memset(big, ' ', IMAGE_CONFIG_MAX + 1);
	CHECK(image_config_parse(big, IMAGE_CONFIG_MAX + 1, &c) == -EINVAL && strstr(error_text(), "the limit is"));
	free(big);
}

/* The member "config" that a list of instructions makes. */
static char *changed(const char *const *instructions)
{
	struct changes c = {0};
	struct strbuf out = {0};
	struct json_writer w = {.out = &out};

	for (; *instructions; instructions++)
		if (changes_add(&c, *instructions) < 0)
			printf("# %s\n", error_text());
	json_open(&w, NULL, '{');
	changes_write(&c, &w);
	json_close(&w, '}');
	changes_free(&c);
	return out.p;
}

static bool makes(const char *instruction, const char *json)
{
	const char *const list[] = {instruction, NULL};
	_cleanup_(freep) char *got = changed(list);
	_cleanup_(freep) char *want = xasprintf("{\"config\":%s}", json);

	if (streq(got, want))
		return true;
	printf("# %s\n", got);
	return false;
}

TEST("--change takes the instructions of a Dockerfile")
{
	CHECK(makes("CMD [\"a\", \"b c\"]", "{\"Cmd\":[\"a\",\"b c\"]}"));
	CHECK(makes("cmd echo $HOME", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo $HOME\"]}"));
	CHECK(makes("ENTRYPOINT [\"/init\"]", "{\"Entrypoint\":[\"/init\"]}"));
	CHECK(makes("ENV A=1 B=\"two words\" C=x\\ y", "{\"Env\":[\"A=1\",\"B=two words\",\"C=x y\"]}"));
	CHECK(makes("ENV A 1 and more", "{\"Env\":[\"A=1 and more\"]}"));
	CHECK(makes("ENV A=1 A=2", "{\"Env\":[\"A=2\"]}"));
	CHECK(makes("USER www-data", "{\"User\":\"www-data\"}"));
	CHECK(makes("WORKDIR /srv", "{\"WorkingDir\":\"/srv\"}"));
	CHECK(makes("EXPOSE 80 53/udp 80/tcp", "{\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}}}"));
	CHECK(makes("VOLUME /a /b", "{\"Volumes\":{\"/a\":{},\"/b\":{}}}"));
	CHECK(makes("VOLUME [\"/a b\"]", "{\"Volumes\":{\"/a b\":{}}}"));
	CHECK(makes("LABEL a=1 \"b c\"='d e' a=2", "{\"Labels\":{\"a\":\"2\",\"b c\":\"d e\"}}"));
	CHECK(makes("  STOPSIGNAL  SIGINT ", "{\"StopSignal\":\"SIGINT\"}"));
	CHECK(makes("CMD", "{}"));
}

TEST("an instruction that makes no sense is refused")
{
	static const struct {
		const char *instruction, *why;
	} bad[] = {
		{"RUN make", "begins with none of"}, {"", "begins with none of"},
		{"USER", "USER needs a value"},      {"ENV =1", "is not NAME=VALUE"},
		{"ENV A=1 B", "is not NAME=VALUE"},  {"ENV A=\"1", "a quote is not closed"},
		{"CMD [\"a\"", "not valid JSON"},    {"CMD [1]", "must be a string"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct changes c = {0};

		CHECK(changes_add(&c, bad[i].instruction) == -EINVAL);
		if (!strstr(error_text(), bad[i].why))
			printf("# %s\n", error_text());
		CHECK(strstr(error_text(), bad[i].why));
		changes_free(&c);
	}
}

UNIT_MAIN
