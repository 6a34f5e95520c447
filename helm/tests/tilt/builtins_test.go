package tilt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

// root is the repository, where the Tiltfile lies.
const root = "../../.."

// recording is what a Tiltfile tells Tilt: the builtins that it may use, with Tilt's own names of arguments,
// and what each was told. A builtin that is not here, and every `load`, ends the evaluation.
type recording struct {
	arguments []string
	context   string

	settings  map[string]string // name to usage
	allowed   []string
	objects   []map[string]any
	resources []resource
	images    []builtImage
	commands  []command
}

type resource struct {
	name, readiness, trigger string
	dependencies, labels     []string
	forwards, links          []string
}

type builtImage struct {
	reference, context, containerfile string
	arguments                         map[string]string
	steps                             []step
}

// step is a step of a live update: a file that is synced, or a command that is run.
type step struct {
	starlark.Value
	from, to string
	command  []string
}

type command struct {
	name, shell     string
	sources, labels []string
}

// blob is what Tilt reads from files and charts. Like Tilt's it has to be made a string before anything is
// added to it.
type blob string

func (b blob) String() string        { return string(b) }
func (b blob) Type() string          { return "blob" }
func (b blob) Freeze()               {}
func (b blob) Truth() starlark.Bool  { return b != "" }
func (b blob) Hash() (uint32, error) { return starlark.String(b).Hash() }

// evaluate runs the Tiltfile as `tilt up -- ARGUMENTS` does with a cluster of that context.
func evaluate(context string, arguments ...string) (*recording, error) {
	r := &recording{arguments: arguments, context: context, settings: map[string]string{}}
	source, err := os.ReadFile(filepath.Join(root, "Tiltfile"))
	if err != nil {
		return nil, err
	}
	// Tilt allows `if` and `for` outside of functions.
	dialect := &syntax.FileOptions{TopLevelControl: true}
	_, err = starlark.ExecFileOptions(dialect, &starlark.Thread{}, "Tiltfile", source, r.builtins())
	return r, err
}

type function func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

func (r *recording) builtins() starlark.StringDict {
	builtin := func(name string, call function) starlark.Value {
		return starlark.NewBuiltin(name, func(
			_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple,
		) (starlark.Value, error) {
			return call(args, kwargs)
		})
	}
	return starlark.StringDict{
		"TRIGGER_MODE_MANUAL": starlark.String("manual"),
		"config": &starlarkstruct.Module{Name: "config", Members: starlark.StringDict{
			"define_bool": builtin("config.define_bool", r.defineBool),
			"parse":       builtin("config.parse", r.parse),
		}},
		"allow_k8s_contexts": builtin("allow_k8s_contexts", r.allow),
		"docker_build":       builtin("docker_build", r.dockerBuild),
		"encode_yaml":        builtin("encode_yaml", encodeYAML),
		"helm":               builtin("helm", helm),
		"k8s_context": builtin("k8s_context", func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			return starlark.String(r.context), nil
		}),
		"k8s_resource":   builtin("k8s_resource", r.k8sResource),
		"k8s_yaml":       builtin("k8s_yaml", r.k8sYAML),
		"link":           builtin("link", link),
		"local_resource": builtin("local_resource", r.localResource),
		"read_file":      builtin("read_file", readFile),
		"run":            builtin("run", run),
		"sync":           builtin("sync", syncFile),
	}
}

func (r *recording) defineBool(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var name, usage string
	var positional bool
	err := starlark.UnpackArgs("config.define_bool", args, kwargs, "name", &name, "args?", &positional, "usage?", &usage)
	r.settings[name] = usage
	return starlark.None, err
}

// parse takes --NAME and --NAME=VALUE, and VALUE as Go writes truth, as Tilt does.
func (r *recording) parse(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs("config.parse", args, kwargs); err != nil {
		return nil, err
	}
	settings := starlark.NewDict(len(r.arguments))
	for _, argument := range r.arguments {
		name, text, valued := strings.Cut(strings.TrimPrefix(argument, "--"), "=")
		if _, defined := r.settings[name]; !defined || !strings.HasPrefix(argument, "--") {
			return nil, fmt.Errorf("unknown flag: %s", argument)
		}
		if !valued {
			text = "true"
		}
		value, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("invalid argument %q for --%s: %w", text, name, err)
		}
		if err := settings.SetKey(starlark.String(name), starlark.Bool(value)); err != nil {
			return nil, err
		}
	}
	return settings, nil
}

func (r *recording) allow(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var contexts starlark.Value
	err := starlark.UnpackArgs("allow_k8s_contexts", args, kwargs, "contexts", &contexts)
	if err == nil {
		r.allowed, err = texts(contexts)
	}
	return starlark.None, err
}

func (r *recording) dockerBuild(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var image builtImage
	var path string
	var contents starlark.Value
	var arguments *starlark.Dict
	var steps *starlark.List
	if err := starlark.UnpackArgs("docker_build", args, kwargs, "ref", &image.reference, "context", &image.context,
		"build_args?", &arguments, "dockerfile?", &path, "dockerfile_contents?", &contents, "live_update?", &steps); err != nil {
		return nil, err
	}
	switch contents := contents.(type) {
	case nil:
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return nil, err
		}
		image.containerfile = string(text)
	case starlark.String:
		image.containerfile = string(contents)
	case blob:
		image.containerfile = string(contents)
	default:
		return nil, fmt.Errorf("docker_build: dockerfile_contents is a %s", contents.Type())
	}
	image.arguments = map[string]string{}
	if arguments != nil {
		for _, item := range arguments.Items() {
			image.arguments[text(item[0])] = text(item[1])
		}
	}
	if steps != nil {
		for value := range steps.Elements() {
			made, isStep := value.(step)
			if !isStep {
				return nil, fmt.Errorf("docker_build: %s is no step of a live update", value)
			}
			image.steps = append(image.steps, made)
		}
	}
	r.images = append(r.images, image)
	return starlark.None, nil
}

func (r *recording) localResource(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var made command
	var sources, labels starlark.Value
	if err := starlark.UnpackArgs("local_resource", args, kwargs, "name", &made.name, "cmd", &made.shell,
		"deps?", &sources, "labels?", &labels); err != nil {
		return nil, err
	}
	found, err := lists(sources, labels)
	made.sources, made.labels = found[0], found[1]
	r.commands = append(r.commands, made)
	return starlark.None, err
}

func (r *recording) k8sResource(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var made resource
	var dependencies, labels, forwards, links starlark.Value
	if err := starlark.UnpackArgs("k8s_resource", args, kwargs, "workload", &made.name, "port_forwards?", &forwards,
		"resource_deps?", &dependencies, "trigger_mode?", &made.trigger, "pod_readiness?", &made.readiness,
		"links?", &links, "labels?", &labels); err != nil {
		return nil, err
	}
	found, err := lists(dependencies, labels, forwards, links)
	made.dependencies, made.labels, made.forwards, made.links = found[0], found[1], found[2], found[3]
	r.resources = append(r.resources, made)
	return starlark.None, err
}

func (r *recording) k8sYAML(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var value blob
	if err := starlark.UnpackArgs("k8s_yaml", args, kwargs, "yaml", &value); err != nil {
		return nil, err
	}
	objects, err := parseObjects(string(value))
	r.objects = append(r.objects, objects...)
	return starlark.None, err
}

func helm(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var path, name, namespace string
	var values, sets starlark.Value
	if err := starlark.UnpackArgs("helm", args, kwargs, "paths", &path, "name?", &name, "namespace?", &namespace,
		"values?", &values, "set?", &sets); err != nil {
		return nil, err
	}
	found, err := lists(values, sets)
	if err != nil {
		return nil, err
	}
	rendered, err := template(path, name, namespace, found[0], found[1])
	return blob(rendered), err
}

func link(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var url, name string
	err := starlark.UnpackArgs("link", args, kwargs, "url", &url, "name?", &name)
	return starlark.String(url), err
}

func readFile(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var path string
	if err := starlark.UnpackArgs("read_file", args, kwargs, "paths", &path); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(filepath.Join(root, path))
	return blob(content), err
}

func run(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var value starlark.Value
	if err := starlark.UnpackArgs("run", args, kwargs, "cmd", &value); err != nil {
		return nil, err
	}
	command, err := texts(value)
	return step{Value: starlark.None, command: command}, err
}

func syncFile(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	made := step{Value: starlark.None}
	err := starlark.UnpackArgs("sync", args, kwargs, "local_path", &made.from, "remote_path", &made.to)
	return made, err
}

func encodeYAML(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var value starlark.Value
	if err := starlark.UnpackArgs("encode_yaml", args, kwargs, "obj", &value); err != nil {
		return nil, err
	}
	// What Starlark prints of dictionaries, lists and texts is YAML.
	return blob(value.String()), nil
}
