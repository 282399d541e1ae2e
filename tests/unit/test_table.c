/* Lists: aligned columns, JSON, templates, and text of strangers on the way to a terminal. */
#include "cli/table.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "tests/unit/unit.h"

static const struct column columns[] = {
	{"CONTAINER ID", "ID"}, {"IMAGE", "Image"}, {"PORTS", "Ports"}, {"SIZE", "Size"}, {"NAMES", "Names"},
};

static const char rows[] = "[{\"ID\":\"0123456789ab\",\"Image\":\"busybox:latest\",\"Ports\":[\"80/tcp\",\"81/tcp\"],"
			   "\"Size\":12,\"Names\":\"web\",\"Labels\":{\"a\":\"1\",\"b\":\"2\"},\"Up\":true},"
			   "{\"ID\":\"ba9876543210\",\"Image\":\"x\",\"Ports\":[],\"Size\":3,\"Names\":\"db\","
			   "\"Labels\":{},\"Up\":false}]";

static int saved, pipe_end;

static void capture(int fd)
{
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	pipe_end = fd;
	dup2(fd, STDOUT_FILENO);
}

static void release(void)
{
	out_flush();
	dup2(saved, STDOUT_FILENO);
	close(saved);
}

/* What table_print gives for JSON text TEXT, or the message when it refuses. */
static const char *table(const char *text, const char *format)
{
	static char out[4096];
	struct json_doc doc;
	int fd = memfd_create("out", MFD_CLOEXEC);

	if (json_parse(text, strlen(text), "rows", &doc) < 0)
		return error_text();
	capture(fd);
	int r = table_print(doc.root, columns, ARRAY_SIZE(columns), format);
	release();
	ssize_t n = pread(fd, out, sizeof(out) - 1, 0);
	out[n > 0 ? n : 0] = '\0';
	close(fd);
	json_free(&doc);
	if (r < 0 && n > 0)
		return "printed although refused";
	return r < 0 ? error_text() : out;
}

/* TEMPLATE for the JSON text NODE, or the message. */
static const char *expand(const char *template, const char *node)
{
	static struct strbuf out;
	struct json_doc doc;

	strbuf_free(&out);
	if (json_parse(node, strlen(node), "node", &doc) < 0)
		return error_text();
	int r = template_expand(template, doc.root, &out);
	json_free(&doc);
	/* The syntax check agrees on what is syntax. */
	if (r == 0 && template_check(template) < 0)
		return "template_check refuses what can be expanded";
	return r < 0 ? error_text() : strbuf_str(&out);
}

static const char doc[] =
	"{\"Id\":\"abc\",\"Names\":[\"a\",\"b\"],\"N\":12,\"F\":1.5,\"T\":true,\"Null\":null,\"Empty\":[],"
	"\"State\":{\"Status\":\"running\",\"Pid\":7},"
	"\"Config\":{\"Labels\":{\"k.x\":\"v\",\"b\":\"2\"},\"Cmd\":[\"sh\",\"-c\"]},"
	"\"Ports\":{\"80/tcp\":[{\"HostPort\":\"8080\"}],\"90/udp\":null}}";

/* --- tables ------------------------------------------------------------------------------------------- */

TEST("columns are aligned, lists are joined, the last is not padded")
{
	CHECK(streq(table(rows, NULL), "CONTAINER ID   IMAGE            PORTS            SIZE   NAMES\n"
				       "0123456789ab   busybox:latest   80/tcp, 81/tcp   12     web\n"
				       "ba9876543210   x                                 3      db\n"));
	CHECK(streq(table(rows, "table"), table(rows, NULL)));
}

TEST("an empty list is its header")
{
	CHECK(streq(table("[]", NULL), "CONTAINER ID   IMAGE   PORTS   SIZE   NAMES\n"));
	CHECK(streq(table("[]", "json"), "[]\n"));
	CHECK(streq(table("[]", "{{.ID}}"), ""));
}

TEST("missing and null members are empty cells, maps are joined")
{
	CHECK(streq(table("[{\"ID\":null,\"Image\":{\"a\":1,\"b\":[2]}}]", NULL),
		    "CONTAINER ID   IMAGE        PORTS   SIZE   NAMES\n"
		    "               a=1, b=[2]\n"));
}

TEST("characters count, not bytes")
{
	CHECK(streq(
		table("[{\"ID\":\"é\",\"Image\":\"日本\",\"Ports\":\"p\"},{\"ID\":\"e\",\"Image\":\"abcdef\"}]", NULL),
		"CONTAINER ID   IMAGE    PORTS   SIZE   NAMES\n"
		"é              日本     p\n"
		"e              abcdef\n"));
	CHECK(text_width("é") == 1 && text_width("日本") == 4 && text_width("e\xcc\x81") == 1);
	CHECK(text_width("\xff\xfe") == 2);
}

TEST("control characters of strangers never reach the terminal")
{
	struct strbuf out = {0};

	text_show(&out, "a\x1b[31m\tb\n\r\x7f\xc2\x9b\xff\xe2\x80\xae!é\xe2\x80\xa8");
	CHECK(streq(out.p, "a\\x1b[31m\\tb\\n\\r\\x7f\\u009b\\xff\\u202e!é\\u2028"));
	strbuf_free(&out);
	CHECK(strstr(table("[{\"ID\":\"x\\u001b]0;evil\\u0007\\n\"}]", NULL), "x\\x1b]0;evil\\x07\\n\n"));
	CHECK(strstr(table("[{\"ID\":\"x\\ty\"}]", "table {{.ID}}"), "x\\ty"));
}

TEST("truncated and overlong UTF-8 is shown as bytes")
{
	struct strbuf out = {0};

	text_show(&out, "\xc3");
	text_show(&out, "\xe2\x80");
	text_show(&out, "\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80");
	CHECK(streq(out.p, "\\xc3\\xe2\\x80\\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80"));
	strbuf_free(&out);
}

TEST("json is one indented array")
{
	CHECK(streq(table("[{\"ID\":\"a\",\"Ports\":[]}]", "json"),
		    "[\n  {\n    \"ID\": \"a\",\n    \"Ports\": []\n  }\n]\n"));
}

TEST("a template makes a line for each row")
{
	CHECK(streq(table(rows, "{{.ID}} {{.Names}}"), "0123456789ab web\nba9876543210 db\n"));
	CHECK(streq(table(rows, "{{.ID}}\\t{{join .Ports \"+\"}}"), "0123456789ab\t80/tcp+81/tcp\nba9876543210\t\n"));
	CHECK(streq(table(rows, "{{range .}}{{.Names}},{{end}}"), "web,db,\n"));
	CHECK(streq(table(rows, "{{json .Labels}}"), "{\"a\":\"1\",\"b\":\"2\"}\n{}\n"));
}

TEST("table templates have headers of their own")
{
	CHECK(streq(table(rows, "table {{.Names}}\t{{.ID}}"), "NAMES   CONTAINER ID\n"
							      "web     0123456789ab\n"
							      "db      ba9876543210\n"));
	CHECK(strstr(table(rows, "table {{.Labels.a}}"), "character 10, \".a\": there is no such field"));
	CHECK(streq(table(rows, "table {{if .Up}}{{.Up}}{{end}}\\t{{upper .Names}}:{{printf \"%d\" .Size}}"),
		    "UP     NAMES:SIZE\ntrue   WEB:12\n       DB:3\n"));
}

TEST("a format that is none is refused before anything is printed")
{
	CHECK(streq(table(rows, "yaml"), "--format takes table, json or a template such as '{{.ID}}', not \"yaml\""));
	CHECK(streq(table("[]", "{{.ID"), "the template is wrong at its end: }} is missing"));
	CHECK(streq(table(rows, "{{.Nmaes}}"), "the template is wrong at character 3, \".Nmaes\": "
					       "there is no such field (did you mean .Names?)"));
}

TEST("on a terminal, values in templates and JSON are made harmless and the template is not")
{
	char out[512];
	int master, slave;

	if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
		return;
	struct json_doc d;
	const char *text = "[{\"ID\":\"a\\u001b[1m\\u009b\"}]";
	CHECK(json_parse(text, strlen(text), "rows", &d) == 0);
	capture(slave);
	int r = table_print(d.root, columns, 1, "\x1b[32m{{.ID}}");
	if (r == 0)
		r = table_print(d.root, columns, 1, "json");
	if (r == 0)
		r = template_print("{{.}}", d.root);
	release();
	size_t len = 0;
	struct pollfd p = {.fd = master, .events = POLLIN};
	while (len < sizeof(out) - 1 && poll(&p, 1, 200) > 0) {
		ssize_t n = read(master, out + len, sizeof(out) - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	out[len] = '\0';
	CHECK(r == 0 && strstr(out, "\x1b[32ma\\x1b[1m\\u009b\r\n"));
	CHECK(strstr(out, "\"ID\": \"a\\u001b[1m\\u009b\"\r\n"));
	CHECK(strstr(out, "[map[ID:a\\x1b[1m\\u009b]]"));
	json_free(&d);
	close(master);
	close(slave);
}

/* --- templates ---------------------------------------------------------------------------------------- */

TEST("fields, lists and maps print as Go prints them")
{
	CHECK(streq(expand("{{.Id}} {{.State.Status}} {{.N}} {{.F}} {{.T}}", doc), "abc running 12 1.5 true"));
	CHECK(streq(expand("{{.Names}} {{.State}} {{.Null}} {{.Empty}}", doc),
		    "[a b] map[Pid:7 Status:running] <no value> []"));
	CHECK(streq(expand("{{.ID}} {{.names}}", doc), "abc [a b]"));
	CHECK(streq(expand("{{json .State}} {{json .Null}}", doc), "{\"Status\":\"running\",\"Pid\":7} null"));
}

TEST("the published ports recipe of docker's manual works")
{
	CHECK(streq(expand("{{range $p, $conf := .Ports}} {{$p}} -> "
			   "{{if $conf}}{{(index $conf 0).HostPort}}{{else}}none{{end}};{{end}}",
			   doc),
		    " 80/tcp -> 8080; 90/udp -> none;"));
	CHECK(streq(expand("{{range.Names}}<{{.}}>{{end}}{{range $i, $n := .Names}}{{$i}}{{$n}}{{end}}", doc),
		    "<a><b>0a1b"));
	CHECK(streq(expand("{{index .Config.Labels \"k.x\"}}{{index .Config.Labels \"none\"}}!", doc), "v!"));
	CHECK(streq(expand("{{with index .Config.Labels \"k.x\"}}={{.}}{{end}}{{range .Empty}}x{{else}}-{{end}}", doc),
		    "=v-"));
}

TEST("functions work as in docker's and podman's templates")
{
	CHECK(streq(expand("{{join .Names \",\"}} {{.Id | upper}} {{lower \"AbC\"}} {{title \"ab cd\"}}", doc),
		    "a,b ABC abc Ab Cd"));
	CHECK(streq(expand("{{len .Names}}{{len .Id}}{{len .Config.Labels}} {{split \"a:b\" \":\"}}", doc),
		    "232 [a b]"));
	CHECK(streq(expand("{{printf \"%s|%5s|%-5s|%05d|%+d|%.2f|%q|%v|%%|%.1s\" .Id .Id .Id .N .N .F .Id .Names .Id}}",
			   doc),
		    "abc|  abc|abc  |00012|+12|1.50|\"abc\"|[a b]|%|a"));
	CHECK(streq(expand("{{truncate .Id 2}}{{pad .Id 1 2}}|{{print .N .F .Id \"x\"}}|{{println .N .Id}}", doc),
		    "ab abc  |12 1.5abcx|12 abc\n"));
	CHECK(streq(expand("{{eq .Id \"x\" \"abc\"}} {{ne .N 12}} {{lt .F 2}} {{ge .N 12}} {{eq .Null nil}}", doc),
		    "true false true true true"));
	CHECK(streq(expand("{{and .T .Id}} {{or .Empty \"x\"}} {{not .Null}} {{and .Missing .T}}", doc),
		    "abc x true <no value>") ||
	      strstr(error_text(), "no such field"));
}

TEST("else if, trims, comments, variables and raw strings")
{
	CHECK(streq(expand("{{if .Missing}}a{{else if .Empty}}b{{else if .T}}c{{else}}d{{end}}", doc), "c"));
	CHECK(streq(expand("a \n{{- .Id -}}\t b{{/* no */}}{{- /* no */ -}} c", doc), "aabcbc"));
	CHECK(streq(expand("{{$x := .Id}}{{range .Names}}{{$x = .}}{{end}}{{$x}}{{$.N}}", doc), "b12"));
	CHECK(streq(expand("{{`a\\n`}}{{\"q\\\"\\t\"}}\\n}}{{.Id}}", doc), "a\\nq\"\t\n}}abc"));
}

TEST("a missing field is false for if and an error where its value is needed")
{
	CHECK(streq(expand("{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", doc), "none"));
	CHECK(strstr(expand("{{.State.Health.Status}}", doc),
		     "character 9, \".Health.Status\": there is no such field here, but Status, Pid"));
	CHECK(strstr(expand("{{len .Nope}}", doc), "character 7, \".Nope\": there is no such field"));
	CHECK(strstr(expand("{{.Id.X}}", doc), "character 6, \".X\": a text has no fields"));
}

TEST("what is wrong is named with its place, in branches not taken too")
{
	CHECK(streq(expand("x{{end}}", doc),
		    "the template is wrong at character 4, \"end\": no {{if}}, {{with}} or {{range}} is open here"));
	CHECK(strstr(expand("{{if .T}}", doc), "character 3, \"if\": its {{end}} is missing"));
	CHECK(strstr(expand("{{if false}}{{nope .Id}}{{end}}", doc),
		     "character 15, \"nope\": there is no such function"));
	CHECK(strstr(expand("{{range .Empty}}{{join .}}{{end}}", doc), "\"join\": join needs 2 values"));
	CHECK(strstr(expand("{{lower .Id .Id}}", doc), "lower takes no more than 1 value"));
	CHECK(strstr(expand("{{lower .Names}}", doc), "lower takes a text, not a list"));
	CHECK(strstr(expand("{{.Id | .N}}", doc), "a function must follow |"));
	CHECK(strstr(expand("{{.Id .N}}", doc), "\".N\": unexpected here"));
	CHECK(strstr(expand("{{$x}}", doc), "\"$x\": this variable was not set before"));
	CHECK(strstr(expand("{{\"a}}", doc), "the closing quote is missing"));
	CHECK(strstr(expand("{{(.Id}}", doc), "the closing ) is missing"));
	CHECK(strstr(expand("{{/* x", doc), "the end of the comment is missing"));
	CHECK(strstr(expand("{{index .Names 2}}", doc), "index 2 is not in the list, which has 2 items"));
	CHECK(strstr(expand("{{printf \"%d\" .Id}}", doc), "%d of printf takes a whole number, not a text"));
	CHECK(strstr(expand("{{printf \"%s\"}}", doc), "fewer values than its format asks for"));
	CHECK(strstr(expand("{{printf \"%n\" .N}}", doc), "printf knows %s"));
	CHECK(strstr(expand("{{if .T}}{{else}}{{else}}{{end}}", doc), "\"else\": a second {{else}}"));
	CHECK(strstr(expand("{{range .Names}}{{break}}{{end}}", doc), "break is not supported"));
	CHECK(strstr(expand("{{}}", doc), "\"}}\": a value is missing"));
}

TEST("nesting, loops and growth are bounded")
{
	struct strbuf deep = {0};

	for (int i = 0; i < 1000; i++)
		strbuf_puts(&deep, "{{if true}}");
	CHECK(strstr(expand(deep.p, doc), "nested too deeply"));
	strbuf_free(&deep);
	strbuf_puts(&deep, "{{");
	for (int i = 0; i < 1000; i++)
		strbuf_putc(&deep, '(');
	CHECK(strstr(expand(deep.p, doc), "nested too deeply"));
	strbuf_free(&deep);
	for (int i = 0; i < 24; i++)
		strbuf_puts(&deep, "{{range $.Names}}");
	for (int i = 0; i < 24; i++)
		strbuf_puts(&deep, "{{end}}");
	CHECK(strstr(expand(deep.p, doc), "the template makes too much"));
	strbuf_free(&deep);
	strbuf_puts(&deep, "{{$x := \"0123456789\"}}");
	for (int i = 0; i < 40; i++)
		strbuf_puts(&deep, "{{$x = print $x $x}}");
	CHECK(strstr(expand(deep.p, doc), "the template makes too much"));
	strbuf_free(&deep);
}

TEST("out_flush tells of a write that failed long before")
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	capture(full);
	out_write("x", 1);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	CHECK(out_flush() == -ENOSPC);
	CHECK(streq(error_text(), "cannot write to the standard output: No space left on device"));
	close(full);
}

UNIT_MAIN
