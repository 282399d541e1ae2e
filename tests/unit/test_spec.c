/* config.json becomes a struct spec, or a sentence that names the field which is wrong. */
#include <errno.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "runtime/spec.h"
#include "tests/unit/unit.h"

#define START "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"}"

/* Parses a config with these further members; free with spec_free when it is 0. */
static int parse(const char *members, struct spec *spec)
{
	_cleanup_(freep) char *text = xasprintf(START "%s%s}", *members ? "," : "", members);

	return spec_parse(text, strlen(text), "config.json", spec);
}

static int parse_linux(const char *members, struct spec *spec)
{
	_cleanup_(freep) char *text = xasprintf("\"linux\":{%s}", members);

	return parse(text, spec);
}

static int parse_process(const char *members, struct spec *spec)
{
	_cleanup_(freep) char *text =
		xasprintf("\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]%s%s}", *members ? "," : "", members);

	return parse(text, spec);
}

/* True when a config with MEMBERS is refused by a sentence that has NAMED in it. */
static bool refused(int r, struct spec *spec, const char *named)
{
	if (r == 0) {
		printf("# accepted, instead of a word about %s\n", named);
		spec_free(spec);
		return false;
	}
	if (!strstr(error_text(), named) || !strstr(error_text(), "config.json")) {
		printf("# the error is: %s\n", error_text());
		return false;
	}
	return true;
}

struct bad {
	const char *members, *named;
};

TEST("the least config is one with a version and a root")
{
	struct spec s;

	CHECK(parse("", &s) == 0);
	CHECK(streq(s.version, "1.0.2") && streq(s.root_path, "rootfs") && !s.root_readonly && !s.has_process);
	CHECK(s.n_mounts == 0 && s.limits.memory_max == LIMIT_UNSET && s.limits.pids_max == LIMIT_UNSET && !s.seccomp);
	spec_free(&s);
	spec_free(&s);
}

TEST("a document that is no config is refused")
{
	static const struct bad bad[] = {
		{"", "not valid JSON"},
		{"[]", "an object"},
		{"null", "an object"},
		{"{}", "ociVersion"},
		{"{\"ociVersion\":1}", "ociVersion"},
		{"{\"ociVersion\":\"2.0.0\",\"root\":{\"path\":\"r\"}}", "ociVersion 2.0.0"},
		{"{\"ociVersion\":\"\",\"root\":{\"path\":\"r\"}}", "ociVersion"},
		{"{\"ociVersion\":\"1.0.0\"}", "root.path"},
		{"{\"ociVersion\":\"1.0.0\",\"root\":{}}", "root.path"},
		{"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"\"}}", "root.path"},
		{"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":7}}", "root.path"},
		{"{\"ociVersion\":\"1.0.0\",\"root\":\"r\"}", "root must be an object"},
	};
	struct spec s;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(refused(spec_parse(bad[i].members, strlen(bad[i].members), "config.json", &s), &s, bad[i].named));
}

TEST("members at the top with the wrong type are named")
{
	static const struct bad bad[] = {
		{"\"hostname\":1", "hostname must be a string"},
		{"\"domainname\":[]", "domainname must be a string"},
		{"\"process\":[]", "process must be an object"},
		{"\"mounts\":{}", "mounts must be an array"},
		{"\"hooks\":[]", "hooks must be an object"},
		{"\"annotations\":[]", "annotations must be an object"},
		{"\"annotations\":{\"a\":1}", "annotations.a must be a string"},
		{"\"linux\":\"\"", "linux must be an object"},
		{"\"root\":{\"path\":\"r\",\"readonly\":\"yes\"}", "root.readonly must be true or false"},
	};
	struct spec s;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(refused(parse(bad[i].members, &s), &s, bad[i].named));
}

TEST("what this version does not do is refused, unless it is empty")
{
	struct spec s;

	CHECK(parse("\"windows\":{\"layerFolders\":[\"x\"]}", &s) == -EOPNOTSUPP && strstr(error_text(), "windows"));
	CHECK(parse("\"vm\":{\"kernel\":{}}", &s) == -EOPNOTSUPP);
	CHECK(parse_linux("\"intelRdt\":{\"closID\":\"x\"}", &s) == -EOPNOTSUPP &&
	      strstr(error_text(), "linux.intelRdt"));
	CHECK(parse_linux("\"mountLabel\":\"system_u:object_r:x\"", &s) == -EOPNOTSUPP);
	CHECK(parse_process("\"selinuxLabel\":\"x\"", &s) == -EOPNOTSUPP &&
	      strstr(error_text(), "process.selinuxLabel"));
	CHECK(parse("\"windows\":{},\"linux\":{\"mountLabel\":\"\",\"intelRdt\":null}", &s) == 0);
	spec_free(&s);
}

TEST("the process is read whole")
{
	struct spec s;

	CHECK(parse_process(
		      "\"terminal\":true,\"consoleSize\":{\"height\":24,\"width\":80},\"env\":[\"A=1\",\"B=\"],"
		      "\"user\":{\"uid\":1000,\"gid\":1001,\"umask\":63,\"additionalGids\":[5,6]},"
		      "\"noNewPrivileges\":true,\"oomScoreAdj\":-999,\"apparmorProfile\":\"p\","
		      "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":7},"
		      "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":18446744073709551615}],"
		      "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_NOSUCH\"],\"effective\":[\"CAP_KILL\"]}",
		      &s) == 0);
	const struct process_spec *p = &s.process;
	CHECK(s.has_process && p->terminal && p->rows == 24 && p->columns == 80);
	CHECK(p->n_env == 2 && streq(p->env[1], "B=") && !p->env[2] && p->n_args == 1 && !p->args[1]);
	CHECK(p->uid == 1000 && p->gid == 1001 && p->umask == 077 && p->n_groups == 2 && p->groups[1] == 6);
	CHECK(p->no_new_privs && p->has_oom_score_adj && p->oom_score_adj == -999 && streq(p->apparmor, "p"));
	CHECK(p->io_class == 3 && p->io_priority == 7);
	CHECK(p->n_rlimits == 1 && p->rlimits[0].resource == RLIMIT_NOFILE && p->rlimits[0].hard == UINT64_MAX);
	CHECK(p->has_caps && p->caps.bounding == 1 && p->caps.effective == 1 << 5 && !p->caps.ambient);
	spec_free(&s);
}

TEST("a process has defaults for all but its arguments")
{
	struct spec s;

	CHECK(parse_process("", &s) == 0);
	CHECK(s.process.uid == 0 && s.process.umask == -1 && !s.process.has_caps && !s.process.has_oom_score_adj);
	CHECK(s.process.n_env == 0 && !s.process.no_new_privs && !s.process.terminal);
	spec_free(&s);
}

TEST("what is wrong in the process is named")
{
	static const struct bad bad[] = {
		{"\"terminal\":1", "process.terminal must be true or false"},
		{"\"args\":[]", "process has no args"},
		{"\"args\":\"sh\"", "process.args must be an array"},
		{"\"args\":[\"sh\",1]", "process.args[1] must be a string"},
		{"\"env\":{\"A\":\"b\"}", "process.env must be an array"},
		{"\"cwd\":\"tmp\"", "absolute cwd"},
		{"\"cwd\":\"\"", "absolute cwd"},
		{"\"user\":\"root\"", "process.user must be an object"},
		{"\"user\":{\"uid\":-1}", "process.user.uid must be a whole number"},
		{"\"user\":{\"uid\":\"0\"}", "process.user.uid must be a number"},
		{"\"user\":{\"uid\":0.5}", "process.user.uid"},
		{"\"user\":{\"uid\":4294967295}", "process.user has an id of 4294967295"},
		{"\"user\":{\"uid\":4294967296}", "process.user.uid"},
		{"\"user\":{\"gid\":4294967295}", "process.user has an id of 4294967295"},
		{"\"user\":{\"umask\":512}", "process.user.umask"},
		{"\"user\":{\"additionalGids\":[1,4294967295]}", "process.user.additionalGids[1]"},
		{"\"user\":{\"additionalGids\":[\"1\"]}", "process.user.additionalGids[0]"},
		{"\"oomScoreAdj\":1001", "process.oomScoreAdj"},
		{"\"oomScoreAdj\":-1001", "process.oomScoreAdj"},
		{"\"rlimits\":[{\"type\":\"NOFILE\",\"soft\":1,\"hard\":1}]", "unknown type \"NOFILE\""},
		{"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]",
		 "process.rlimits[0] has a soft limit above"},
		{"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":-1,\"hard\":1}]", "process.rlimits[0].soft"},
		{"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":18446744073709551616}]",
		 "process.rlimits[0].hard"},
		{"\"capabilities\":[\"CAP_KILL\"]", "process.capabilities must be an object"},
		{"\"capabilities\":{\"bounding\":[1]}", "process.capabilities.bounding[0]"},
		{"\"ioPriority\":{\"class\":\"best\"}", "unknown class \"best\""},
		{"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}", "process.ioPriority.priority"},
		{"\"consoleSize\":{\"height\":65536}", "process.consoleSize.height"},
	};
	struct spec s;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(refused(parse_process(bad[i].members, &s), &s, bad[i].named));
}

TEST("mount options become attributes, flags and data; the later word wins")
{
	struct spec s;

	CHECK(parse("\"mounts\":[{\"destination\":\"/t\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":"
		    "[\"ro\",\"nosuid\",\"rw\",\"noatime\",\"size=1m\",\"mode=755\",\"rslave\",\"tmpcopyup\","
		    "\"defaults\"]},"
		    "{\"destination\":\"/b\",\"source\":\"/srv\",\"options\":[\"rbind\",\"rro\",\"rnoexec\"]},"
		    "{\"destination\":\"/c\",\"type\":\"bind\",\"source\":\"/srv\",\"options\":[]}]",
		    &s) == 0);
	const struct mount_spec *t = &s.mounts[0], *b = &s.mounts[1], *c = &s.mounts[2];
	CHECK(s.n_mounts == 3 && !(t->attr_set & MOUNT_ATTR_RDONLY) && t->attr_clear & MOUNT_ATTR_RDONLY);
	CHECK(t->attr_set & MOUNT_ATTR_NOSUID && t->attr_set & MOUNT_ATTR_NOATIME);
	CHECK((t->attr_clear & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME);
	CHECK(t->n_data == 2 && streq(t->data[0], "size=1m") && streq(t->data[1], "mode=755") && !t->data[2]);
	CHECK(t->propagation == (MS_SLAVE | MS_REC) && t->special == MOUNT_COPY_UP);
	CHECK(b->special == (MOUNT_BIND | MOUNT_RECURSIVE) && streq(b->type, "bind") && b->n_data == 0);
	CHECK(b->rec_attr_set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC) && b->attr_set == 0);
	CHECK(c->special == MOUNT_BIND);
	spec_free(&s);
}

TEST("what is wrong in a mount is named")
{
	static const struct bad bad[] = {
		{"\"mounts\":[1]", "mounts[0] must be an object"},
		{"\"mounts\":[{\"type\":\"tmpfs\"}]", "mounts[0] has no destination"},
		{"\"mounts\":[{\"destination\":\"\",\"type\":\"tmpfs\"}]", "mounts[0] has no destination"},
		{"\"mounts\":[{\"destination\":\"/a\"}]", "mounts[0] has no type"},
		{"\"mounts\":[{\"destination\":\"/a\",\"type\":\"bind\"}]", "bind mount without a source"},
		{"\"mounts\":[{\"destination\":\"/a\",\"options\":[\"rbind\"]}]", "bind mount without a source"},
		{"\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":\"ro\"}]",
		 "mounts[0].options must be an array"},
		{"\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"\"]}]",
		 "mounts[0] has an option"},
		{"\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\"},{\"destination\":5}]",
		 "mounts[1].destination"},
		{"\"mounts\":[{\"destination\":\"/a\",\"type\":\"x\",\"uidMappings\":[{\"size\":0}]}]",
		 "mounts[0].uidMappings[0]"},
	};
	struct spec s;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(refused(parse(bad[i].members, &s), &s, bad[i].named));
}

TEST("hooks of every point are read and checked")
{
	struct spec s;

	CHECK(parse("\"hooks\":{\"prestart\":[{\"path\":\"/"
		    "a\",\"args\":[\"a\",\"b\"],\"env\":[\"X=y\"],\"timeout\":3}],"
		    "\"createRuntime\":[],\"poststop\":[{\"path\":\"/z\"},{\"path\":\"/y\"}]}",
		    &s) == 0);
	CHECK(s.hooks[HOOK_PRESTART].n == 1 && s.hooks[HOOK_PRESTART].v[0].timeout_s == 3);
	CHECK(streq(s.hooks[HOOK_PRESTART].v[0].args[1], "b") && s.hooks[HOOK_POSTSTOP].n == 2);
	spec_free(&s);
	CHECK(refused(parse("\"hooks\":{\"prestart\":[{\"path\":\"a\"}]}", &s), &s,
		      "hooks.prestart[0] needs an absolute path"));
	CHECK(refused(parse("\"hooks\":{\"poststop\":[{}]}", &s), &s, "hooks.poststop[0]"));
	CHECK(refused(parse("\"hooks\":{\"poststop\":{}}", &s), &s, "hooks.poststop must be an array"));
	CHECK(refused(parse("\"hooks\":{\"poststart\":[{\"path\":\"/a\",\"timeout\":-1}]}", &s), &s,
		      "hooks.poststart[0].timeout"));
	CHECK(refused(parse("\"hooks\":{\"startContainer\":[{\"path\":\"/a\",\"args\":[1]}]}", &s), &s,
		      "startContainer[0].args[0]"));
}

TEST("namespaces are new or joined, each once")
{
	struct spec s;

	CHECK(parse_linux("\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/run/netns/a\"},"
			  "{\"type\":\"mount\",\"path\":\"\"}]",
			  &s) == 0);
	CHECK(s.ns[NS_PID].asked && !s.ns[NS_PID].path && streq(s.ns[NS_NET].path, "/run/netns/a"));
	CHECK(s.ns[NS_MOUNT].asked && !s.ns[NS_MOUNT].path && !s.ns[NS_USER].asked);
	spec_free(&s);
	CHECK(refused(parse_linux("\"namespaces\":[{\"type\":\"net\"}]", &s), &s, "unknown type \"net\""));
	CHECK(refused(parse_linux("\"namespaces\":[{}]", &s), &s, "linux.namespaces[0]"));
	CHECK(refused(parse_linux("\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]", &s), &s, "a second time"));
	CHECK(refused(parse_linux("\"namespaces\":[{\"type\":\"pid\",\"path\":\"ns\"}]", &s), &s, "absolute path"));
	CHECK(refused(parse_linux("\"namespaces\":{}", &s), &s, "linux.namespaces must be an array"));
}

TEST("id mappings go with a user namespace and stay within the ids")
{
	struct spec s;

	CHECK(parse_linux("\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,"
			  "\"size\":65536}],\"gidMappings\":[{\"containerID\":0,\"hostID\":7,\"size\":1}]",
			  &s) == 0);
	CHECK(s.uid_maps.n == 1 && s.uid_maps.v[0].host == 100000 && s.uid_maps.v[0].size == 65536 &&
	      s.gid_maps.v[0].host == 7);
	spec_free(&s);
	CHECK(refused(parse_linux("\"namespaces\":[{\"type\":\"user\"}]", &s), &s, "needs linux.uidMappings"));
	CHECK(refused(parse_linux("\"uidMappings\":[{\"size\":1}]", &s), &s, "without a user namespace"));
	CHECK(refused(parse_linux("\"uidMappings\":[{\"size\":0}]", &s), &s, "linux.uidMappings[0] is empty"));
	CHECK(refused(parse_linux("\"uidMappings\":[{\"hostID\":4294967290,\"size\":6}]", &s), &s,
		      "beyond the last id"));
	CHECK(refused(parse_linux("\"gidMappings\":[{\"hostID\":\"0\",\"size\":6}]", &s), &s,
		      "linux.gidMappings[0].hostID"));
}

TEST("clock offsets go with a time namespace")
{
	struct spec s;

	CHECK(parse_linux("\"namespaces\":[{\"type\":\"time\"}],\"timeOffsets\":{\"monotonic\":{\"secs\":-5,"
			  "\"nanosecs\":9},"
			  "\"boottime\":{\"secs\":6}}",
			  &s) == 0);
	CHECK(s.time_offset_s[0] == -5 && s.time_offset_ns[0] == 9 && s.time_offset_s[1] == 6);
	spec_free(&s);
	CHECK(refused(parse_linux("\"timeOffsets\":{}", &s), &s, "time namespace"));
	CHECK(refused(parse_linux("\"timeOffsets\":{\"boottime\":{\"nanosecs\":1000000000}}", &s), &s,
		      "linux.timeOffsets.boottime"));
}

TEST("limits are read as they stand")
{
	struct spec s;

	CHECK(parse_linux(
		      "\"resources\":{\"memory\":{\"limit\":1048576,\"reservation\":5,\"swap\":-1},"
		      "\"cpu\":{\"shares\":512,\"quota\":-1,\"period\":100000,\"cpus\":\"0-1\",\"mems\":\"\"},"
		      "\"pids\":{\"limit\":-1},\"blockIO\":{\"weight\":10,\"throttleReadBpsDevice\":[{\"major\":8,"
		      "\"minor\":0,\"rate\":1}],\"throttleWriteBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":2}]},"
		      "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4}],\"unified\":{\"memory.high\":\"9\"}}",
		      &s) == 0);
	const struct cgroup_limits *l = &s.limits;
	CHECK(l->memory_max == 1048576 && l->memory_low == 5 && l->memory_swap == -1);
	CHECK(l->cpu_shares == 512 && l->cpu_quota == -1 && l->cpu_period == 100000 && streq(l->cpus, "0-1") &&
	      !l->mems);
	CHECK(l->pids_max == LIMIT_MAX && l->io_weight == 10 && l->n_io == 1 && l->io[0].rbps == 1 &&
	      l->io[0].wbps == 2);
	CHECK(l->n_hugepages == 1 && l->hugepages[0].limit == 4 && l->n_unified == 1 &&
	      streq(l->unified[0].value, "9"));
	spec_free(&s);
	CHECK(parse_linux("\"resources\":{\"cpu\":{\"shares\":0,\"quota\":0,\"period\":0}}", &s) == 0);
	CHECK(s.limits.cpu_shares == LIMIT_UNSET && s.limits.cpu_quota == LIMIT_UNSET &&
	      s.limits.cpu_period == LIMIT_UNSET);
	spec_free(&s);
}

TEST("limits that are wrong are named")
{
	static const struct bad bad[] = {
		{"\"resources\":[]", "linux.resources must be an object"},
		{"\"resources\":{\"memory\":{\"limit\":\"1g\"}}", "linux.resources.memory.limit must be a number"},
		{"\"resources\":{\"memory\":{\"limit\":9223372036854775808}}", "linux.resources.memory.limit"},
		{"\"resources\":{\"memory\":{\"limit\":-2}}", "linux.resources.memory.limit"},
		{"\"resources\":{\"cpu\":{\"shares\":-1}}", "linux.resources.cpu.shares"},
		{"\"resources\":{\"cpu\":{\"idle\":2}}", "linux.resources.cpu.idle"},
		{"\"resources\":{\"cpu\":{\"cpus\":1}}", "linux.resources.cpu.cpus must be a string"},
		{"\"resources\":{\"pids\":{\"limit\":1.5}}", "linux.resources.pids.limit"},
		{"\"resources\":{\"blockIO\":{\"weight\":1001}}", "linux.resources.blockIO.weight"},
		{"\"resources\":{\"blockIO\":{\"weightDevice\":[1]}}", "linux.resources.blockIO.weightDevice[0]"},
		{"\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"../2MB\"}]}", "page size of \"../2MB\""},
		{"\"resources\":{\"hugepageLimits\":[{\"limit\":1}]}", "linux.resources.hugepageLimits[0]"},
		{"\"resources\":{\"unified\":{\"a\":1}}", "linux.resources.unified.a must be a string"},
		{"\"resources\":{\"devices\":[{\"type\":\"x\"}]}", "linux.resources.devices[0] has an unknown type"},
		{"\"resources\":{\"devices\":[{\"access\":\"rx\"}]}", "linux.resources.devices[0] has an access"},
		{"\"resources\":{\"devices\":[{\"major\":4294967296}]}", "linux.resources.devices[0].major"},
		{"\"resources\":{\"devices\":[{\"allow\":1}]}", "linux.resources.devices[0].allow"},
	};
	struct spec s;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(refused(parse_linux(bad[i].members, &s), &s, bad[i].named));
}

TEST("the caller's device rules come before the standard ones")
{
	struct spec s;

	CHECK(parse_linux(
		      "\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"\"},{\"allow\":true,\"type\":\"u\","
		      "\"major\":10,\"minor\":229,\"access\":\"rw\"}]}",
		      &s) == 0);
	const struct device_rule *d = s.limits.devices;
	CHECK(s.limits.n_devices > 2 && !d[0].allow && d[0].type == 'a' && d[0].major == -1 && d[0].mknod);
	CHECK(d[1].allow && d[1].type == 'c' && d[1].major == 10 && d[1].read && d[1].write && !d[1].mknod);
	for (size_t i = 2; i < s.limits.n_devices; i++)
		CHECK(d[i].allow);
	spec_free(&s);
}

TEST("device nodes are read and checked")
{
	struct spec s;

	CHECK(parse_linux("\"devices\":[{\"path\":\"/dev/"
			  "fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,\"fileMode\":438,\"gid\":5},"
			  "{\"path\":\"/dev/p\",\"type\":\"p\"}]",
			  &s) == 0);
	CHECK(s.n_devices == 2 && s.devices[0].mode == 0666 && s.devices[0].minor == 229 && s.devices[0].gid == 5);
	spec_free(&s);
	CHECK(refused(parse_linux("\"devices\":[{\"path\":\"dev/x\",\"type\":\"c\"}]", &s), &s,
		      "linux.devices[0] needs an absolute path"));
	CHECK(refused(parse_linux("\"devices\":[{\"path\":\"/dev/x\",\"type\":\"cc\"}]", &s), &s,
		      "unknown type \"cc\""));
	CHECK(refused(parse_linux("\"devices\":[{\"path\":\"/dev/x\"}]", &s), &s, "unknown type \"\""));
	CHECK(refused(parse_linux("\"devices\":[{\"type\":\"c\"}]", &s), &s,
		      "linux.devices[0] needs an absolute path"));
	CHECK(refused(parse_linux("\"devices\":[{\"path\":\"/d\",\"type\":\"c\",\"fileMode\":-1}]", &s), &s,
		      "linux.devices[0].fileMode"));
}

TEST("the rest of the linux section")
{
	struct spec s;

	CHECK(parse_linux("\"sysctl\":{\"net.core.somaxconn\":\"1\"},\"maskedPaths\":[\"/proc/"
			  "kcore\"],\"readonlyPaths\":[],"
			  "\"rootfsPropagation\":\"slave\",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"},"
			  "\"personality\":{\"domain\":\"LINUX32\"},\"cgroupsPath\":\"/a/b\"",
			  &s) == 0);
	CHECK(s.n_sysctls == 1 && streq(s.sysctls[0].key, "net.core.somaxconn") && s.n_masked == 1 &&
	      s.n_readonly == 0);
	CHECK(s.root_propagation == (MS_SLAVE | MS_REC) && s.seccomp && s.personality == PER_LINUX32);
	CHECK(streq(s.cgroup_path, "/a/b"));
	spec_free(&s);
	CHECK(refused(parse_linux("\"rootfsPropagation\":\"private-ish\"", &s), &s, "linux.rootfsPropagation"));
	CHECK(refused(parse_linux("\"personality\":{\"domain\":\"BSD\"}", &s), &s, "unknown domain \"BSD\""));
	CHECK(refused(parse_linux("\"sysctl\":{\"a\":1}", &s), &s, "linux.sysctl.a must be a string"));
	CHECK(refused(parse_linux("\"maskedPaths\":[null]", &s), &s, "linux.maskedPaths[0]"));
	CHECK(refused(parse_linux("\"seccomp\":[]", &s), &s, "linux.seccomp must be an object"));
	CHECK(refused(parse_linux("\"cgroupsPath\":1", &s), &s, "linux.cgroupsPath"));
}

TEST("nesting and numbers without end are refused")
{
	struct strbuf text = {0};
	struct spec s;

	strbuf_puts(&text, "\"annotations\":");
	for (int i = 0; i < 100000; i++)
		strbuf_puts(&text, "{\"a\":");
	CHECK(refused(parse(strbuf_str(&text), &s), &s, "too deep"));
	strbuf_free(&text);
	strbuf_puts(&text, "\"user\":{\"uid\":");
	for (int i = 0; i < 100000; i++)
		strbuf_putc(&text, '9');
	strbuf_puts(&text, "}");
	CHECK(refused(parse_process(strbuf_str(&text), &s), &s, "process.user.uid"));
	CHECK(strlen(error_text()) < 300);
	strbuf_free(&text);
}

TEST("a bundle's file is read by fd, up to a size")
{
	char dir[] = "/tmp/test_spec.XXXXXX";
	struct spec s;
	char *text = NULL;
	size_t len = 0;

	CHECK(mkdtemp(dir));
	int fd = open(dir, O_DIRECTORY | O_CLOEXEC);
	CHECK(spec_load(fd, "config.json", &s, NULL, NULL) == -ENOENT && strstr(error_text(), "config.json"));
	CHECK(replace_file_at(fd, "config.json", START "}", strlen(START "}"), 0644, false) == 0);
	CHECK(spec_load(fd, "config.json", &s, &text, &len) == 0 && len == strlen(START "}") && streq(text, START "}"));
	free(text);
	spec_free(&s);
	CHECK(symlinkat("config.json", fd, "link.json") == 0 && spec_load(fd, "link.json", &s, NULL, NULL) < 0);
	int big = openat(fd, "config.json", O_WRONLY | O_CLOEXEC);
	CHECK(big >= 0 && ftruncate(big, SPEC_TEXT_MAX + 1) == 0);
	close(big);
	CHECK(spec_load(fd, "config.json", &s, NULL, NULL) == -EFBIG && strstr(error_text(), "larger than 8 MiB"));
	close(fd);
	CHECK(remove_tree_at(AT_FDCWD, dir) == 0);
}

UNIT_MAIN
