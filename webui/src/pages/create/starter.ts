/** What a new configuration begins with. */
export const starter = `# An experiment: which pruner, and how sparse should each layer be?
# Paths are looked up in the folder below, or in the daemon's --search-path.
experimentName: my-experiment
trialConcurrency: 2
maxTrialNumber: 20

searchSpace:
  algorithm:
    _type: choice
    _value:
      - _name: l1
        sparsity: {_type: uniform, _value: [0.1, 0.9]}
      - _name: fpgm
        sparsity: {_type: uniform, _value: [0.1, 0.9]}

tuner:
  name: TPE

compression:
  model: lenet.pt
  inputShape: [1, 1, 28, 28]
  data:
    format: idx
    train: {images: data/train-images-idx3-ubyte, labels: data/train-labels-idx1-ubyte}
    test: {images: data/test-images-idx3-ubyte, labels: data/test-labels-idx1-ubyte}
  evaluation: {metric: accuracy}
  finetuning: {epochs: 1, optimizer: sgd, learningRate: 0.01, batchSize: 64}
  objective: {metric: sparsity, maxAccuracyDrop: 0.02}
`;
