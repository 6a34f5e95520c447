package images

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// image is what an OCI archive has: its configuration, and its files as its layers leave them.
type image struct {
	reference string
	digest    string
	config    config
	files     map[string]file
}

// config is the part of an image's configuration that is promised to anybody.
type config struct {
	User         string
	Env          []string
	Entrypoint   []string
	Cmd          []string
	ExposedPorts map[string]struct{}
	Labels       map[string]string
}

// file is a file by its path without a slash before it.
type file struct {
	tar.Header
	data []byte
}

// read reads an OCI archive with one image.
func read(t *testing.T, archive string) image {
	t.Helper()
	blobs := map[string][]byte{}
	for name, entry := range unpacked(t, must(os.ReadFile(archive))(t)) {
		blobs[name] = entry.data
	}
	blob := func(digest string) []byte {
		return blobs["blobs/"+strings.ReplaceAll(digest, ":", "/")]
	}
	var index struct {
		Manifests []struct {
			Digest      string
			Annotations map[string]string
		}
	}
	parse(t, blobs["index.json"], &index)
	if len(index.Manifests) != 1 {
		t.Fatalf("%s has %d images, not one", archive, len(index.Manifests))
	}
	var manifest struct {
		Config struct{ Digest string }
		Layers []struct{ Digest string }
	}
	parse(t, blob(index.Manifests[0].Digest), &manifest)
	var configuration struct{ Config config }
	parse(t, blob(manifest.Config.Digest), &configuration)

	result := image{
		reference: index.Manifests[0].Annotations["org.opencontainers.image.ref.name"],
		digest:    index.Manifests[0].Digest,
		config:    configuration.Config,
		files:     map[string]file{},
	}
	for _, layer := range manifest.Layers {
		for name, entry := range unpacked(t, blob(layer.Digest)) {
			if strings.HasPrefix(path.Base(name), ".wh.") {
				t.Fatalf("%s takes files away again (%s)", archive, name)
			}
			result.files[name] = entry
		}
	}
	return result
}

// unpacked gives the files of a tar, packed by gzip or not.
func unpacked(t *testing.T, data []byte) map[string]file {
	t.Helper()
	var source io.Reader = bytes.NewReader(data)
	if packed, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		source = packed
	}
	files := map[string]file{}
	reader := tar.NewReader(source)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		name := strings.Trim(path.Clean(header.Name), "/")
		files[name] = file{*header, must(io.ReadAll(reader))(t)}
	}
}

// write lays the image's files in a folder, owned by whoever runs the test.
func (image image) write(t *testing.T, folder string) {
	t.Helper()
	for name, entry := range image.files {
		target := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch entry.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(target, 0o755)
		case tar.TypeSymlink:
			err = os.Symlink(entry.Linkname, target)
		default:
			err = os.WriteFile(target, entry.data, entry.FileInfo().Mode())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func parse(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%v in %.200s", err, data)
	}
}

// must ends the test where there is an error.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
